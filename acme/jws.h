/* JWS: one JSON Web Signature in the flattened form (RFC 7515, 7.2.2) as ACME uses it, taken apart
 * and then verified.
 *
 * jws_read checks the form and the protected header and trusts nothing: only after jws_verify, or
 * jws_verify_mac, are header and payload the signer's. A `struct jws` owns all it shows. Used by
 * one thread at a time; the functions by any. */
#pragma once

#include "base/json.h"
#include "base/ossl.h"

/* What the JWS is for, which says what its protected header must hold. */
enum jws_use {
	JWS_REQUEST,      /* a POST's body: jwk or kid, a nonce (RFC 8555, 6.2) */
	JWS_KEY_CHANGE,   /* the inner one of keyChange: jwk, no nonce (7.3.5) */
	JWS_BINDING,      /* an external account binding: MAC, kid, no nonce (7.3.4) */
	JWS_USE_MAX,
};
struct jws_algorithm;

struct jws {
	struct json *header;               /* the protected header */
	const struct jws_algorithm *algorithm;
	const struct json *jwk;            /* one of the two is NULL */
	const char *kid;
	const char *url;
	const char *nonce;                 /* JWS_REQUEST alone */
	struct buf input;                  /* what is signed: protected "." payload */
	struct buf payload, signature;     /* decoded */
};

/* Takes the JWS apart. MALFORMED; BAD_SIGNATURE_ALGORITHM with the algorithms that would do;
 * BAD_NONCE when a request has none. */
bool jws_parse(struct bytes body, enum jws_use use, struct jws *ret, struct problem *p) must_use;
bool jws_read(const struct json *object, enum jws_use use, struct jws *ret, struct problem *p) must_use;

/* Whether the algorithm fits the key and the key made the signature. BAD_PUBLIC_KEY, MALFORMED. */
bool jws_verify(const struct jws *jws, EVP_PKEY *key, struct problem *p) must_use;

/* A public key that will verify more than once: what OpenSSL looks up by name for each verification
 * is looked up here. Immutable, with counted references; any thread. */
struct jws_key;
bool jws_key_new(EVP_PKEY *key, struct jws_key **ret, struct problem *p) must_use;
struct jws_key *jws_key_ref(struct jws_key *key);
void jws_key_unref(struct jws_key *key);
EVP_PKEY *jws_key_public(const struct jws_key *key); /* borrowed */
declare_auto_struct(jws_key, jws_key_unref);
bool jws_verify_known(const struct jws *jws, const struct jws_key *key, struct problem *p) must_use;
/* The same for JWS_BINDING and its shared key. UNAUTHORIZED. */
bool jws_verify_mac(const struct jws *jws, struct bytes key, struct problem *p) must_use;

void jws_free(struct jws *jws);
declare_auto_value(jws, jws_free);
