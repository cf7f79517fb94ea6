/* Signer: a private key of the CA, and the ways it signs. That of an issuer is made by ca/issuer.c and
 * used by ca/issue.c, and by no other file: `make arch` shows with nm that nothing else refers to
 * issuer_signer. That of an OCSP responder belongs to ca/responder.c. Immutable; any thread. */
#pragma once

#include "base/ossl.h"
#include "ca/der.h"

struct signer;
struct signer_scheme {
	const char *hash;       /* "SHA256"; NULL: the key's own, of Ed25519 */
	struct bytes algorithm; /* AlgorithmIdentifier, DER */
	EVP_MD_CTX *ready;      /* initialised with the key; copied for each signature */
};

/* Whether there is a way to sign with such a key: what signer_new refuses. */
bool signer_key_check(EVP_PKEY *key, struct problem *p) must_use;
/* Takes a reference of the key. BAD_PUBLIC_KEY: ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to
 * 8192 bits. */
bool signer_new(EVP_PKEY *key, struct signer **ret, struct problem *p) must_use;
void signer_free(struct signer *signer);
declare_auto_struct(signer, signer_free);

/* The way to sign with that hash; NULL asks for the one that fits the key, and Ed25519 has no other. NULL:
 * there is none. */
const struct signer_scheme *signer_scheme(const struct signer *signer, const char *hash);

enum { SIGNATURE_MAX = 8192 / 8 };
struct signature {
	uint8_t data[SIGNATURE_MAX];
	size_t len;
};
/* As a BIT STRING. */
void signature_put(struct der *d, const struct signature *signature);
bool signer_sign(const struct signer_scheme *scheme, struct bytes message, struct signature *ret,
                 struct problem *p) must_use;
