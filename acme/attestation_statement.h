/* Attestation statement: what the formats have in common. Internal to acme/. */
#pragma once

#include "acme/attestation.h"
#include "base/cbor.h"

/* What makes a statement fresh; ours are all of one challenge (the draft, 5). */
struct attestation_challenge {
	struct bytes to_be_signed;  /* attToBeSigned: the key authorization */
	struct bytes key;           /* what Android's keystore is told when it makes the key: the key authorization */
	struct bytes token;         /* for formats whose authority signs before the account's key is known */
};
struct attestation_statement {
	enum attestation_format format;
	struct attestation_challenge challenge;
	const struct cbor *fields;  /* attStmt */
	struct bytes auth_data;     /* empty: none */
	ossl_x509_stack *path;      /* x5c as it was verified: the device's own first, the anchor last */
};
/* The object as its format defines it; the names may be none. */
bool attestation_read(const struct attestation_rules *rules, struct bytes object,
                      const struct attestation_challenge *challenge, int64_t now, struct attestation *ret,
                      struct problem *p) must_use;

/* Each format's own checks, after the chain's. ret comes empty; names and key are put in it. */
#define X(upper, name, lower)                                                                                     \
	bool attestation_##lower(const struct attestation_statement *s, struct attestation *ret,                  \
	                         struct problem *p) must_use;
ATTESTATION_FORMATS(X)
#undef X

/* BAD_ATTESTATION, the format named before the text. */
bool attestation_refuse(const struct attestation_statement *s, struct problem *p, const char *fmt, ...)
	printf_like(3, 4);
/* A byte string that the format demands; not empty. */
bool attestation_bytes(const struct attestation_statement *s, const char *name, struct bytes *ret,
                       struct problem *p) must_use;

/* The device's own certificate, and the key that it is for; borrowed. */
X509 *attestation_leaf(const struct attestation_statement *s);
bool attestation_leaf_key(const struct attestation_statement *s, EVP_PKEY **ret, struct problem *p) must_use;
bool attestation_set_key(EVP_PKEY *key, struct attestation *ret, struct problem *p) must_use;

/* The key of the attested credential in authData (WebAuthn Level 3, 6.5.1); to be called where the statement
 * signs authData. */
bool attestation_credential_key(const struct attestation_statement *s, EVP_PKEY **ret, struct problem *p) must_use;

/* How many extensions of that OID a certificate has; ret is the value of the last. */
size_t attestation_extensions(X509 *certificate, const char *oid, struct bytes *ret) must_use;
/* The one of the device's own certificate; ret_found says whether there is one. Two are refused. */
bool attestation_extension(const struct attestation_statement *s, const char *oid, bool *ret_found, struct bytes *ret,
                           struct problem *p) must_use;

/* Adds a name. One that no order can say (empty, too long, not UTF-8, with "/" or a control character) is left
 * out, as is a double. oid: content of the OBJECT IDENTIFIER of its assigner or type; empty: none. */
void attestation_add_name(struct attestation *ret, bool hardware, struct bytes value, struct bytes oid);
/* permanentIdentifier (RFC 4043) and hardwareModuleName (RFC 4108, 5) of the device's own certificate. */
bool attestation_add_alt_names(const struct attestation_statement *s, struct attestation *ret,
                               struct problem *p) must_use;

/* The signature algorithms of WebAuthn Level 3, 5.8.5, by their COSE numbers. */
struct attestation_algorithm;
/* Named by the statement's alg; without one, if optional, what goes with the key (ES256, RS256, EdDSA). */
bool attestation_algorithm_of(const struct attestation_statement *s, EVP_PKEY *key, bool optional,
                              const struct attestation_algorithm **ret, struct problem *p) must_use;
/* ECDSA signatures as ASN.1 (WebAuthn Level 3, 6.5.5); what: the data, for the refusal. */
bool attestation_check_signature(const struct attestation_statement *s, const struct attestation_algorithm *algorithm,
                                 EVP_PKEY *key, struct bytes data, struct bytes signature, const char *what,
                                 struct problem *p) must_use;
/* The hash that the algorithm takes of what it signs; NULL: it has none (EdDSA). */
bool attestation_algorithm_is_pss(const struct attestation_algorithm *algorithm) must_use;
const EVP_MD *attestation_algorithm_hash(const struct attestation_algorithm *algorithm);
