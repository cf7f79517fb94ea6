/* JWK: a public key as a client states it (RFC 7517; RSA and EC: RFC 7518, 6; Ed25519: RFC 8037).
 *
 * A `struct jwk` owns its key and the forms of it that accounts are known by. Whether the key is
 * strong enough is policy/key.h's to say. Any thread. */
#pragma once

#include "base/digest.h"
#include "base/json.h"
#include "base/ossl.h"

struct jwk {
	EVP_PKEY *key;
	struct buf spki;                   /* SubjectPublicKeyInfo DER */
	struct buf text;                   /* the required members alone, as RFC 7638, 3 orders them */
	uint8_t thumbprint[SHA256_SIZE];   /* RFC 7638, of text: equal for equal keys only */
};

/* MALFORMED: no such JWK, or one with private members. BAD_PUBLIC_KEY: a kind of key that is not
 * supported, or numbers that are no key of its kind. */
bool jwk_read(const struct json *object, struct jwk *ret, struct problem *p) must_use;
void jwk_free(struct jwk *jwk);
declare_auto_value(jwk, jwk_free);
