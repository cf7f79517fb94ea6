/* OpenSSL: a clean-up for each of its types, said once, and the few verbs used all over. */
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

static inline void ossl_free_string(char *p) { OPENSSL_free(p); }
static inline void ossl_free_bytes(unsigned char *p) { OPENSSL_free(p); }
typedef unsigned char ossl_bytes;
static inline void ossl_free_stack_x509(STACK_OF(X509) *p) { sk_X509_pop_free(p, X509_free); }
static inline void ossl_free_extensions(STACK_OF(X509_EXTENSION) *p) { sk_X509_EXTENSION_pop_free(p, X509_EXTENSION_free); }
typedef STACK_OF(X509) ossl_x509_stack;
typedef STACK_OF(X509_EXTENSION) ossl_extensions;

declare_auto(ASN1_BIT_STRING, ASN1_BIT_STRING_free);
declare_auto(ASN1_INTEGER, ASN1_INTEGER_free);
declare_auto(ASN1_OBJECT, ASN1_OBJECT_free);
declare_auto(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
declare_auto(ASN1_TIME, ASN1_TIME_free);
declare_auto(AUTHORITY_KEYID, AUTHORITY_KEYID_free);
declare_auto(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free);
declare_auto(BIO, BIO_free_all);
declare_auto(BIGNUM, BN_clear_free);
declare_auto(BN_CTX, BN_CTX_free);
declare_auto(CMS_ContentInfo, CMS_ContentInfo_free);
declare_auto(ECDSA_SIG, ECDSA_SIG_free);
declare_auto(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);
declare_auto(EVP_MD_CTX, EVP_MD_CTX_free);
declare_auto(EVP_PKEY, EVP_PKEY_free);
declare_auto(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
declare_auto(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free);
declare_auto(GENERAL_NAMES, GENERAL_NAMES_free);
declare_auto(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free);
declare_auto(OSSL_PARAM, OSSL_PARAM_free);
declare_auto(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
declare_auto(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);
declare_auto(X509, X509_free);
declare_auto(X509_ALGOR, X509_ALGOR_free);
declare_auto(X509_NAME, X509_NAME_free);
declare_auto(X509_PUBKEY, X509_PUBKEY_free);
declare_auto(X509_REQ, X509_REQ_free);
declare_auto(X509_SIG, X509_SIG_free);
declare_auto(X509_STORE, X509_STORE_free);
declare_auto(X509_STORE_CTX, X509_STORE_CTX_free);
declare_auto(ossl_bytes, ossl_free_bytes);
declare_auto(ossl_x509_stack, ossl_free_stack_x509);
declare_auto(ossl_extensions, ossl_free_extensions);

/* From now on libcrypto and libssl wipe what they free: they leave copies of keys, passwords and what came over TLS in
 * freed memory (EVP_PKEY2PKCS8 and ASN1_item_i2d_bio among others). Called once, before anything else of theirs. */
void ossl_begin(void);

/* Empties OpenSSL's error queue, before somebody is told that what he sent is wrong: true and UNAVAILABLE where it was
 * memory that was wanting. */
bool ossl_no_memory(struct problem *p) must_use;

/* DER of one object, appended: i2d is the type's function, e.g. ossl_der(i2d_X509, cert, buf). */
#define ossl_der(i2d, object, ret_buf) ({                                     \
	unsigned char *ossl_der_p_ = NULL;                                    \
	int ossl_der_n_ = i2d((object), &ossl_der_p_);                        \
	if (ossl_der_n_ > 0)                                                  \
		buf_add((ret_buf), ossl_der_p_, (size_t)ossl_der_n_);         \
	OPENSSL_clear_free(ossl_der_p_, ossl_der_n_ > 0 ? (size_t)ossl_der_n_ : 0); \
	ossl_der_n_ > 0 && !(ret_buf)->failed; })

/* The SubjectPublicKeyInfo's DER (RFC 5280, 4.1). Appended. */
bool ossl_public_der(EVP_PKEY *key, struct buf *ret, struct problem *p) must_use;

/* A public key from SubjectPublicKeyInfo DER, without bytes after it. For P-256/384/521, RSA and
 * Ed25519 the quick path is taken (measured: docs/performance.md). BAD_PUBLIC_KEY. */
bool ossl_public_key(struct bytes spki, EVP_PKEY **ret, struct problem *p) must_use;

/* A public key of its numbers, big-endian. group: "P-256", "P-384" or "P-521"; a coordinate may lack its first zero
 * bytes. BAD_PUBLIC_KEY. */
bool ossl_ec_key(const char *group, struct bytes x, struct bytes y, EVP_PKEY **ret, struct problem *p) must_use;
bool ossl_rsa_key(struct bytes n, struct bytes e, EVP_PKEY **ret, struct problem *p) must_use;

/* The PrivateKeyInfo's DER (PKCS #8: RFC 5958, 2). Appended. */
bool ossl_private_der(EVP_PKEY *key, struct buf *ret, struct problem *p) must_use;

/* Seconds since 1970. false: it is no time. */
bool ossl_time(const ASN1_TIME *t, int64_t *ret) must_use;

/* The subject key identifier (RFC 5280, 4.2.1.2), borrowed; empty: it has none. */
struct bytes ossl_key_id(X509 *certificate) must_use;

/* Adds the DER, in hexadecimal, of each of its subjectAltNames that is no DNS name, address, mail address or URI. */
bool ossl_other_names(X509 *certificate, struct strings *ret, struct problem *p) must_use;

/* RSASSA-PSS with a salt as long as the digest (RFC 4055, 3.1; RFC 7518, 3.5), for what is signed or verified with
 * how. */
bool ossl_use_pss(EVP_PKEY_CTX *how) must_use;

/* Appends PEM with the given label ("CERTIFICATE"), 64 columns, final newline. */
void ossl_pem(const char *label, struct bytes der, struct buf *ret);
bool ossl_certificate_pem(const X509 *certificate, struct buf *ret, struct problem *p) must_use;
/* The certificates of a text, one or more, in its order. Blocks of other kinds and what stands between are passed over
 * (RFC 7468, 5.2). MALFORMED says which certificate cannot be read. */
bool ossl_certificates_from_pem(struct bytes text, ossl_x509_stack **ret, struct problem *p) must_use;
/* Finds the first PEM block of that label in text and appends its DER. MALFORMED otherwise. */
bool ossl_from_pem(const char *label, struct bytes text, struct buf *ret, struct problem *p) must_use;
