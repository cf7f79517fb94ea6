#include "admin/managed_word.h"

#include <ctype.h>
#include <openssl/err.h>

static const char *skip(const char *s)
{
	return s + strspn(s, "-_ ");
}

bool word_is(const char *text, const char *word)
{
	for (text = skip(text), word = skip(word); *text && *word; text = skip(text + 1), word = skip(word + 1))
		if (tolower((unsigned char)*text) != tolower((unsigned char)*word))
			return false;
	return *text == *word;
}

struct word {
	const char *text;
	int value;
};

static bool find(const struct word *words, size_t count, const char *text, int *ret)
{
	for (size_t i = 0; i < count; i++)
		if (word_is(text, words[i].text)) {
			*ret = words[i].value;
			return true;
		}
	return false;
}

bool word_key_algorithm(const char *text, enum key_algorithm *ret)
{
	static const struct word words[] = {
		{ "rsa-2048", KEY_RSA_2048 },    { "rsa-3072", KEY_RSA_3072 },     { "rsa-4096", KEY_RSA_4096 },
		{ "ec-p256", KEY_EC_P256 },      { "ec-prime256v1", KEY_EC_P256 }, { "ecdsa-p256", KEY_EC_P256 },
		{ "ec-secp256r1", KEY_EC_P256 }, { "ec-p384", KEY_EC_P384 },       { "ec-secp384r1", KEY_EC_P384 },
		{ "ecdsa-p384", KEY_EC_P384 },   { "ec-p521", KEY_EC_P521 },       { "ec-secp521r1", KEY_EC_P521 },
		{ "ecdsa-p521", KEY_EC_P521 },   { "ed25519", KEY_ED25519 },
	};
	int value;

	if (!find(words, array_length(words), text, &value))
		return false;
	*ret = (enum key_algorithm)value;
	return true;
}

bool word_signature(const char *text, enum csr_signature *ret)
{
	for (enum csr_signature s = 0; s < CSR_SIGNATURE_MAX; s++)
		if (word_is(text, csr_signature_name(s))) {
			*ret = s;
			return true;
		}
	return false;
}

bool word_key_usage(const char *text, unsigned *ret)
{
	static const struct word words[] = {
		{ "digitalSignature", KU_DIGITAL_SIGNATURE }, { "nonRepudiation", KU_NON_REPUDIATION },
		{ "contentCommitment", KU_NON_REPUDIATION }, { "keyEncipherment", KU_KEY_ENCIPHERMENT },
		{ "dataEncipherment", KU_DATA_ENCIPHERMENT }, { "keyAgreement", KU_KEY_AGREEMENT },
		{ "keyCertSign", KU_KEY_CERT_SIGN }, { "cRLSign", KU_CRL_SIGN }, { "encipherOnly", KU_ENCIPHER_ONLY },
		{ "decipherOnly", KU_DECIPHER_ONLY },
	};
	int value;

	if (!find(words, array_length(words), text, &value))
		return false;
	*ret = (unsigned)value;
	return true;
}

bool word_extended_key_usage(const char *text, char *ret, size_t size)
{
	static const struct word words[] = {
		{ "serverAuth", NID_server_auth },  { "clientAuth", NID_client_auth },
		{ "codeSigning", NID_code_sign },   { "emailProtection", NID_email_protect },
		{ "timeStamping", NID_time_stamp }, { "ocspSigning", NID_OCSP_sign },
		{ "ipsecIKE", NID_ipsec_IKE },      { "smartcardLogon", NID_ms_smartcard_login },
	};
	int nid;
	auto(ASN1_OBJECT) *oid = find(words, array_length(words), text, &nid) ? OBJ_nid2obj(nid) : NULL;

	if (!oid && isdigit((unsigned char)*text))
		oid = OBJ_txt2obj(text, 1);
	int len = oid ? OBJ_obj2txt(ret, (int)size, oid, 1) : 0;
	ERR_clear_error();
	return len > 0 && (size_t)len < size;
}

bool word_name_type(const char *text, enum identifier_type *ret, bool *ret_upn)
{
	static const struct word words[] = {
		{ "dns", IDENTIFIER_DNS },     { "dns_name", IDENTIFIER_DNS },
		{ "ip", IDENTIFIER_IP },       { "ip_address", IDENTIFIER_IP },
		{ "email", IDENTIFIER_EMAIL }, { "rfc822_name", IDENTIFIER_EMAIL },
		{ "uri", IDENTIFIER_URI },     { "url", IDENTIFIER_URI },
	};
	int value;

	*ret_upn = word_is(text, "upn");
	if (*ret_upn)
		return true;
	if (!find(words, array_length(words), text, &value))
		return false;
	*ret = (enum identifier_type)value;
	return true;
}
