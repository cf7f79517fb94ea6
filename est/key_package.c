#include "est/key_package.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>

#include "base/tlv.h"
#include "ca/der.h"
#include "policy/wrapping_key.h"

#define OID_KEY_PACKAGE "2.16.840.1.101.2.1.2.78.5" /* id-ct-KP-aKeyPackage (RFC 5958, 2) */
#define AES "2.16.840.1.101.3.4.1."
#define OID_OAEP "1.2.840.113549.1.1.7"
#define OID_RSA "1.2.840.113549.1.1.1"

/* --- what the client can read (RFC 7030, 4.4.1: SMIMECapabilities) */

static const struct content_cipher {
	const char *oid;
	const EVP_CIPHER *(*cipher)(void);
	size_t key;
} ciphers[] = {
	{ AES "46", EVP_aes_256_gcm, 32 }, { AES "26", EVP_aes_192_gcm, 24 }, { AES "6", EVP_aes_128_gcm, 16 },
	{ AES "42", EVP_aes_256_cbc, 32 }, { AES "22", EVP_aes_192_cbc, 24 }, { AES "2", EVP_aes_128_cbc, 16 },
};

static bool can_wrap(const struct strings *capabilities, size_t key)
{
	static const char *const wraps[] = { AES "5", AES "25", AES "45" };
	bool any = false;

	for (size_t i = 0; i < array_length(wraps); i++)
		any = any || strings_has(capabilities, wraps[i]);
	return !any || strings_has(capabilities, wraps[key / 8 - 2]);
}

static const struct content_cipher *cipher_find(const char *oid)
{
	for (size_t i = 0; i < array_length(ciphers); i++)
		if (str_equal(ciphers[i].oid, oid))
			return &ciphers[i];
	return NULL;
}

/* The first that the client names and we have; where it names none, what every client has. wraps: its key is wrapped by
 * one of its size (RFC 5753, 3.1.2, as OpenSSL does it). */
static bool choose_cipher(const struct strings *capabilities, bool wraps, const EVP_CIPHER **ret, struct problem *p)
{
	bool named = false;

	for (size_t i = 0; i < capabilities->n; i++) {
		const struct content_cipher *c = cipher_find(capabilities->v[i]);
		/* 3DES and its like */
		named = named || (c == NULL && str_starts(capabilities->v[i], "1.2.840.113549.3."));
		if (!c || (wraps && !can_wrap(capabilities, c->key)))
			continue;
		*ret = c->cipher();
		return true;
	}
	if (named)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 7030, 4.4.1: the CSR's SMIMECapabilities have no AES in CBC or GCM mode");
	*ret = !wraps || can_wrap(capabilities, 32) ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
	return true;
}

/* --- the plan */

/* Of the configuration, or of the store. */
static bool find_symmetric(const struct est_call *call, struct key_package *ret, struct problem *p)
{
	ret->symmetric = wrapping_keys_find(call->wrapping_keys, ret->symmetric_id);
	if (ret->symmetric.len == 0 && call->est &&
	    wrapping_key_find(call->est->store, ret->symmetric_id, call->profile->name, call->now, &ret->kept, p))
		ret->symmetric = buf_bytes(&ret->kept);
	if (ret->symmetric.len > 0 || problem_is_set(p))
		return ret->symmetric.len > 0;
	return problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 7030, 4.4.1.1: there is no key of the CSR's DecryptKeyIdentifier here");
}

static bool plan_symmetric(const struct est_call *call, const struct csr_delivery *delivery, struct key_package *ret,
                           struct problem *p)
{
	ret->symmetric_id = buf_bytes(&delivery->symmetric);
	ret->name = buf_text(&delivery->symmetric);
	if (!find_symmetric(call, ret, p))
		return false;
	if (!can_wrap(&delivery->capabilities, ret->symmetric.len))
		return problem_set(p, PROBLEM_BAD_CSR, "RFC 7030, 4.4.2: the key of that DecryptKeyIdentifier "
		                   "wraps by AES-%zu, which the CSR's "
		                   "SMIMECapabilities do not have", 8 * ret->symmetric.len);
	return choose_cipher(&delivery->capabilities, false, &ret->cipher, p);
}

/* What the client has shown in the handshake, where that is the key it means. */
static X509 *shown_certificate(const struct est_call *call, struct bytes key_id)
{
	X509 *shown = call->proxied ? NULL : call->request->tls->peer;

	return shown && bytes_equal(ossl_key_id(shown), key_id) ? shown : NULL;
}

static bool find_recipient(const struct est_call *call, struct bytes key_id, X509 **ret, struct problem *p)
{
	X509 *found = wrapping_keys_certificate(call->wrapping_keys, key_id) ?: shown_certificate(call, key_id);

	if (found && X509_up_ref(found) == 1)
		*ret = found;
	return *ret ||
	       problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 7030, 4.4.1.2: the CSR's AsymmetricDecryptKeyIdentifier is the subject key "
	                           "identifier of no certificate here, nor of the one that was shown");
}

/* RFC 7030, 4.4.1.2: for key transport or agreement, or for anything. */
static bool plan_asymmetric(const struct est_call *call, const struct csr_delivery *delivery, struct key_package *ret,
                            struct problem *p)
{
	const struct strings *capabilities = &delivery->capabilities;

	if (!find_recipient(call, buf_bytes(&delivery->asymmetric), &ret->recipient, p))
		return false;
	uint32_t usage = X509_get_key_usage(ret->recipient);
	bool rsa = EVP_PKEY_is_a(X509_get0_pubkey(ret->recipient), "RSA"),
	           ec = EVP_PKEY_is_a(X509_get0_pubkey(ret->recipient), "EC");
	if ((!rsa && !ec) || (usage != UINT32_MAX && !(usage & (rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT))))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 4.4.1.2: the certificate of the CSR's "
		                   "AsymmetricDecryptKeyIdentifier is not "
		                   "for %s", rsa ? "keyEncipherment" : ec ? "keyAgreement" : "encryption");
	ret->oaep = !strings_has(capabilities, OID_RSA) || strings_has(capabilities, OID_OAEP);
	return choose_cipher(capabilities, ec, &ret->cipher, p);
}

static bool plan_plain(const struct est_call *call, struct problem *p)
{
	if (call->profile->est.server_key_encrypted)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 7030, 4.4.1: profile %s gives no key without an encryption of its own; put a "
		                   "DecryptKeyIdentifier or an AsymmetricDecryptKeyIdentifier into the CSR",
		                   call->profile->name);
	if (call->proxied)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 7030, 4.4: a proxy that ends TLS would see the private key; put a "
		                   "DecryptKeyIdentifier or an AsymmetricDecryptKeyIdentifier into the CSR");
	return call->request->tls->confidential ||
	       problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 7030, 4.4: this connection's cipher does not hide a private key");
}

bool key_package_plan(const struct est_call *call, const struct csr_delivery *delivery, struct key_package *ret,
                      struct problem *p)
{
	if (!call->request->tls || !call->request->tls->server)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 4.4: keys are given over a TLS "
		                   "connection to this server alone, through no "
		                   "proxy");
	if (delivery->symmetric.len > 0 && delivery->asymmetric.len > 0)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 7030, 4.4.1: the CSR has both a DecryptKeyIdentifier and an "
		                   "AsymmetricDecryptKeyIdentifier");
	if (delivery->symmetric.len > 0)
		return plan_symmetric(call, delivery, ret, p);
	return delivery->asymmetric.len > 0 ? plan_asymmetric(call, delivery, ret, p) : plan_plain(call, p);
}

void key_package_done(struct key_package *package)
{
	buf_free(&package->kept);
	X509_free(package->recipient);
	package->recipient = NULL;
}

bool key_package_is_plain(const struct key_package *package)
{
	return package->symmetric.len == 0 && !package->recipient;
}

void key_package_tell(const struct key_package *package, struct key_package_facts *ret)
{
	const char *how = package->recipient ? "certificate" : package->symmetric.len > 0 ? "wrapping key" : "plain";
	*ret = (struct key_package_facts){ {
		audit_text("keyDelivery", how),
		audit_text("wrappingKey", package->name),
		audit_hex("recipientKeyId", package->recipient ? ossl_key_id(package->recipient) : BYTES(NULL, 0)), {0},
	} };
}

/* --- writing */

static bool set_type(CMS_ContentInfo *cms, const char *oid)
{
	auto(ASN1_OBJECT) *type = OBJ_txt2obj(oid, 1);

	return type && CMS_set1_eContentType(cms, type) == 1;
}

/* What CMS_final reads, wiped with it. */
static BIO *content_of(struct bytes content)
{
	return BIO_new_mem_buf(content.data, (int)content.len);
}

/* The content of the ContentInfo: what stands inside of another one (RFC 5652, 6.3). */
static bool take_content(CMS_ContentInfo *cms, struct buf *ret)
{
	auto_value(buf) der = {0};
	struct bytes outer, type, content;

	if (!ossl_der(i2d_CMS_ContentInfo, cms, &der) || !tlv_only(buf_bytes(&der), TLV_SEQUENCE, &outer) ||
	    !tlv_take(&outer, TLV_OID, &type) || !tlv_take(&outer, TLV_CONTEXT_CONSTRUCTED(0), &content))
		return false;
	buf_add(ret, content.data, content.len);
	return !ret->failed;
}

/* By who made the key: this server, as its connection shows it. */
static bool sign(const struct http_tls *tls, struct bytes package, struct buf *ret, struct problem *p)
{
	enum { FLAGS = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP };
	struct http_server server;

	tls->server(tls, &server);
	auto(BIO) *in = content_of(package);
	auto(CMS_ContentInfo) *cms = CMS_sign(server.certificate, server.key, server.chain, NULL, FLAGS);
	return (in && cms && set_type(cms, OID_KEY_PACKAGE) && CMS_final(cms, in, NULL, FLAGS) == 1 &&
	        take_content(cms, ret)) ||
	       problem_openssl(p, "the SignedData of a key");
}

static bool add_symmetric(CMS_ContentInfo *cms, const struct key_package *package)
{
	unsigned char *key = OPENSSL_memdup(package->symmetric.data, package->symmetric.len);
	unsigned char *id = OPENSSL_memdup(package->symmetric_id.data, package->symmetric_id.len);

	if (key && id &&
	    CMS_add0_recipient_key(cms, NID_undef, key, package->symmetric.len, id, package->symmetric_id.len,
	                           NULL, NULL, NULL))
		return true;
	OPENSSL_clear_free(key, package->symmetric.len);
	OPENSSL_free(id);
	return false;
}

static bool add_recipient(CMS_ContentInfo *cms, const struct key_package *package)
{
	CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, package->recipient, CMS_USE_KEYID | CMS_KEY_PARAM);
	EVP_PKEY_CTX *how = recipient ? CMS_RecipientInfo_get0_pkey_ctx(recipient) : NULL;

	if (!how)
		return false;
	if (!EVP_PKEY_is_a(X509_get0_pubkey(package->recipient), "RSA"))
		return EVP_PKEY_CTX_set_ecdh_kdf_md(how, EVP_sha256()) == 1;
	return !package->oaep || (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_OAEP_PADDING) == 1 &&
	                          EVP_PKEY_CTX_set_rsa_oaep_md(how, EVP_sha256()) == 1);
}

/* RFC 5083 for a cipher that authenticates by itself, RFC 5652, 6, for others. */
static bool envelop(const struct key_package *package, struct bytes content, struct buf *ret, struct problem *p)
{
	bool gcm = EVP_CIPHER_get_mode(package->cipher) == EVP_CIPH_GCM_MODE;
	auto(BIO) *in = content_of(content);
	auto(CMS_ContentInfo) *cms = gcm ? CMS_AuthEnvelopedData_create(package->cipher)
	        : CMS_EnvelopedData_create(package->cipher);

	return (in && cms && CMS_set_detached(cms, 0) == 1 && set_type(cms, "1.2.840.113549.1.7.2") &&
	        (package->recipient ? add_recipient(cms, package) : add_symmetric(cms, package)) &&
	        CMS_final(cms, in, NULL, CMS_BINARY) == 1 && ossl_der(i2d_CMS_ContentInfo, cms, ret)) ||
	       problem_openssl(p, "the EnvelopedData of a key");
}

bool key_package_write(const struct est_call *call, const struct key_package *package, EVP_PKEY *key, struct buf *ret,
                       struct problem *p)
{
	auto_value(buf) pkcs8 = {0}, list = {0}, signed_data = {0};
	struct der d = der_writer(&list);

	if (key_package_is_plain(package))
		return ossl_private_der(key, ret, p);
	if (!ossl_private_der(key, &pkcs8, p))
		return false;
	der_put(&d, TLV_SEQUENCE, buf_bytes(&pkcs8)); /* AsymmetricKeyPackage: a list of one (RFC 5958, 2) */
	return buf_check(&list, p) && sign(call->request->tls, buf_bytes(&list), &signed_data, p) &&
	       envelop(package, buf_bytes(&signed_data), ret, p);
}
