#include "ca/authority.h"

#include <openssl/err.h>

#include "base/random.h"
#include "ca/pkcs11.h"
#include "ca/spki.h"
#include "ca/template.h"
#include "policy/plain_text.h"

enum { SERIAL_SIZE = 16 };

void authority_free(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	*authority = (struct authority){ 0 };
}

bool authority_not_after(X509 *certificate, int64_t *ret, struct problem *p)
{
	return ossl_time(X509_get0_notAfter(certificate), ret) ||
	       problem_openssl(p, "reading the end of a CA certificate");
}

bool authority_lifetime(X509 *certificate, int64_t *ret)
{
	int64_t begin, end;

	if (!ossl_time(X509_get0_notBefore(certificate), &begin) || !ossl_time(X509_get0_notAfter(certificate), &end))
		return false;
	*ret = end - begin - AUTHORITY_BACKDATE;
	return *ret > 0;
}

/* --- names */

/* What two CAs could differ by and look alike is in no name. */
bool authority_name_set(X509_NAME *name, int nid, const char *value, struct problem *p)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);

	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return problem_set(p, PROBLEM_MALFORMED, "a CA's %s has no control characters",
			                   OBJ_nid2ln(nid));
	if (at >= 0)
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, at, 0) != 1) {
		ERR_clear_error();
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, A.1: a CA's %s is 1 to 64 characters of UTF-8: `%s`",
		                   OBJ_nid2ln(nid), value);
	}
	return !plain_text_hides(value) ||
	       problem_set(p, PROBLEM_MALFORMED, "a CA's %s has no character that cannot be seen, and no space at an "
	                   "end: `%s`", OBJ_nid2ln(nid), value);
}

bool authority_name(const char *organization, const char *common_name, X509_NAME **ret, struct problem *p)
{
	auto(X509_NAME) *name = X509_NAME_new();

	if (!name)
		return problem_memory(p);
	if ((organization && !authority_name_set(name, NID_organizationName, organization, p)) ||
	    !authority_name_set(name, NID_commonName, common_name, p))
		return false;
	*ret = steal(name);
	return true;
}

/* --- extensions, gathered in a list that a certificate or a request takes */

static bool add(ossl_extensions **list, int nid, void *value, bool critical)
{
	return value && X509V3_add1_i2d(list, nid, value, critical, X509V3_ADD_DEFAULT) == 1;
}

static bool add_basic_constraints(ossl_extensions **list, const struct authority_wish *wish)
{
	auto(BASIC_CONSTRAINTS) *constraints = BASIC_CONSTRAINTS_new();

	if (!constraints)
		return false;
	constraints->ca = 0xff;
	if (wish->path_length >= 0 && (!(constraints->pathlen = ASN1_INTEGER_new()) ||
	                               ASN1_INTEGER_set(constraints->pathlen, wish->path_length) != 1))
		return false;
	return add(list, NID_basic_constraints, constraints, true);
}

/* RFC 5280, 4.2.1.3: keyCertSign is bit 5, cRLSign bit 6. */
static bool add_key_usage(ossl_extensions **list)
{
	auto(ASN1_BIT_STRING) *usage = ASN1_BIT_STRING_new();

	return usage && ASN1_BIT_STRING_set_bit(usage, 5, 1) == 1 && ASN1_BIT_STRING_set_bit(usage, 6, 1) == 1 &&
	       add(list, NID_key_usage, usage, true);
}

static bool key_id_of(const struct authority_wish *wish, uint8_t ret[KEY_IDENTIFIER_SIZE])
{
	X509_PUBKEY *spki = NULL;
	const unsigned char *bits;
	int len;

	if (X509_PUBKEY_set(&spki, wish->key) != 1)
		return false;
	X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, spki);
	spki_key_identifier(BYTES(bits, (size_t)len), ret);
	X509_PUBKEY_free(spki);
	return true;
}

static bool add_subject_key_id(ossl_extensions **list, const struct authority_wish *wish)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	auto(ASN1_OCTET_STRING) *id = wish->key_id ? ASN1_OCTET_STRING_dup(wish->key_id) : ASN1_OCTET_STRING_new();

	return id && (wish->key_id || (key_id_of(wish, identifier) &&
	                               ASN1_OCTET_STRING_set(id, identifier, sizeof(identifier)) == 1)) &&
	       add(list, NID_subject_key_identifier, id, false);
}

static bool add_own(ossl_extensions **list, const struct authority_wish *wish)
{
	return add_basic_constraints(list, wish) && add_key_usage(list) && add_subject_key_id(list, wish) &&
	       (!wish->names || add(list, NID_name_constraints, wish->names, true));
}

/* RFC 5280, 4.2.1.1: a self-signed certificate may be without; linters want it there too. */
static bool add_authority_key_id(ossl_extensions **list, X509 *by)
{
	auto(AUTHORITY_KEYID) *id = AUTHORITY_KEYID_new();

	if (!id)
		return false;
	id->keyid = by ? X509_get_ext_d2i(by, NID_subject_key_identifier, NULL, NULL)
	               : X509V3_get_d2i(*list, NID_subject_key_identifier, NULL, NULL);
	return id->keyid && add(list, NID_authority_key_identifier, id, false);
}

/* Where its list is, and who signed it. A root's own have no use: nothing above it revokes it. */
static bool add_pointers(ossl_extensions **list, const struct authority_wish *wish, struct problem *p)
{
	auto_value(buf) der = { 0 };
	auto(ossl_extensions) *pointers = NULL;

	if (!template_pointers(wish->by, wish->base, &der, p))
		return false;
	const unsigned char *at = der.data;
	pointers = (ossl_extensions *)d2i_X509_EXTENSIONS(NULL, &at, (long)der.len);
	for (int i = 0; i < sk_X509_EXTENSION_num(pointers); i++)
		if (!X509v3_add_ext(list, sk_X509_EXTENSION_value(pointers, i), -1))
			return problem_memory(p);
	return pointers ? true : problem_openssl(p, "the pointers of a CA certificate");
}

static bool extensions_make(const struct authority_wish *wish, const struct authority *by, ossl_extensions **ret,
                            struct problem *p)
{
	auto(ossl_extensions) *list = NULL;

	if (!add_own(&list, wish) || !add_authority_key_id(&list, by ? by->certificate : NULL))
		return problem_openssl(p, "building a CA certificate");
	if (by && wish->base && !add_pointers(&list, wish, p))
		return false;
	*ret = steal(list);
	return true;
}

/* --- certificates */

static bool set_serial(X509 *certificate, struct problem *p)
{
	uint8_t serial[SERIAL_SIZE];

	if (!random_bytes(serial, sizeof(serial), p))
		return false;
	serial[0] |= 0x40; /* never zero */
	serial[0] &= 0x7f;
	auto(BIGNUM) *number = BN_bin2bn(serial, sizeof(serial), NULL);
	return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) ? true : problem_memory(p);
}

static bool set_extensions(X509 *certificate, const ossl_extensions *list)
{
	for (int i = 0; i < sk_X509_EXTENSION_num(list); i++)
		if (X509_add_ext(certificate, sk_X509_EXTENSION_value(list, i), -1) != 1)
			return false;
	return true;
}

static bool set_fields(X509 *certificate, const struct authority_wish *wish, X509 *by)
{
	const X509_NAME *issuer = by ? X509_get_subject_name(by) : wish->subject;

	return X509_set_version(certificate, X509_VERSION_3) == 1 && X509_set_pubkey(certificate, wish->key) == 1 &&
	       ASN1_TIME_set(X509_getm_notBefore(certificate), wish->not_before) &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), wish->not_after) &&
	       X509_set_subject_name(certificate, wish->subject) == 1 && X509_set_issuer_name(certificate, issuer) == 1;
}

/* As ca/signer.c chooses; NULL: Ed25519 hashes by itself. */
static const EVP_MD *signature_hash(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return NULL;
	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) == 256)
		return EVP_sha256();
	return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha512();
}

/* Read anew, for X509's caches are of a certificate that was not whole yet. */
static bool reread(X509 *certificate, X509 **ret, struct problem *p)
{
	auto_value(buf) der = { 0 };

	if (!ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	const unsigned char *at = der.data;
	*ret = d2i_X509(NULL, &at, (long)der.len);
	return *ret ? true : problem_openssl(p, "reading a CA certificate");
}

bool authority_certify(const struct authority_wish *wish, const struct authority *by, X509 **ret, struct problem *p)
{
	auto(X509) *certificate = X509_new();
	auto(ossl_extensions) *extensions = NULL;
	EVP_PKEY *key = by ? by->key : wish->key;

	if (!certificate)
		return problem_memory(p);
	if (!extensions_make(wish, by, &extensions, p) || !set_serial(certificate, p))
		return false;
	if (!set_fields(certificate, wish, by ? by->certificate : NULL) || !set_extensions(certificate, extensions) ||
	    X509_sign(certificate, key, signature_hash(key)) <= 0)
		return pkcs11_trouble(p) ? false : problem_openssl(p, "signing a CA certificate");
	return reread(certificate, ret, p);
}

bool authority_request(const struct authority_wish *wish, X509_REQ **ret, struct problem *p)
{
	auto(X509_REQ) *request = X509_REQ_new();
	auto(ossl_extensions) *extensions = NULL;

	if (!request || !add_own(&extensions, wish) || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_subject_name(request, wish->subject) != 1 || X509_REQ_set_pubkey(request, wish->key) != 1 ||
	    X509_REQ_add_extensions(request, extensions) != 1 ||
	    X509_REQ_sign(request, wish->key, signature_hash(wish->key)) <= 0)
		return pkcs11_trouble(p) ? false : problem_openssl(p, "making a CA's request");
	*ret = steal(request);
	return true;
}

struct authority_wish authority_wish_like(X509 *certificate)
{
	return (struct authority_wish){
		.subject = X509_get_subject_name(certificate), .key = X509_get0_pubkey(certificate),
		.key_id = X509_get0_subject_key_id(certificate), .path_length = (int)X509_get_pathlen(certificate),
	};
}
