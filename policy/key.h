/* Key: which public keys are fit to be certified or to sign requests.
 *
 * Keys are judged by algorithm, size and known weaknesses: small or even RSA exponent, small factors,
 * ROCA, primes too close (Fermat), the block list. Values; any thread. */
#pragma once

#include "base/ossl.h"

enum key_algorithm {
	KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_ED25519,
	KEY_ALGORITHM_MAX,
};
const char *key_algorithm_name(enum key_algorithm a);                       /* "rsa-2048", "ec-p256", "ed25519" */

/* A new private key. UNAVAILABLE with Retry-After: an RSA key, when as many are made and waited for as may
 * (policy/key_turn.h). */
bool key_make(enum key_algorithm a, EVP_PKEY **ret, struct problem *p) must_use;

/* What a key is. RSA sizes between the listed ones count as the next smaller; under 2048 or over
 * 4096, and any curve not listed: BAD_PUBLIC_KEY. */
bool key_algorithm_of(EVP_PKEY *key, enum key_algorithm *ret, struct problem *p) must_use;

/* The KU_ bits (x509v3.h) that a key of this algorithm can have (RFC 3279, 2.3; RFC 5480, 3;
 * RFC 8410, 5). */
unsigned key_algorithm_usage(enum key_algorithm a);
/* That spki, from which a key of this algorithm was read, is the one DER of this key: the same key
 * has the same bytes and the same hash wherever it turns up. BAD_PUBLIC_KEY. */
bool key_form_check(struct bytes spki, enum key_algorithm a, struct problem *p) must_use;

/* The RFC 7638 thumbprint (SHA-256) of a key in the form that key_form_check lets pass, by which the
 * store knows the accounts' keys. */
bool key_thumbprint(struct bytes spki, enum key_algorithm a, uint8_t ret[32], struct problem *p) must_use;

/* SHA-256 hashes of SubjectPublicKeyInfo DER that are never accepted: files of hex lines, '#'
 * comments, sorted at load. */
struct key_blocklist;
bool key_blocklist_load(const struct strings *paths, struct key_blocklist **ret, struct problem *p) must_use;
bool key_blocklist_has(const struct key_blocklist *list, const uint8_t sha256[32]) must_use; /* NULL list: false */
void key_blocklist_free(struct key_blocklist *list);
declare_auto_struct(key_blocklist, key_blocklist_free);

/* Every weakness check; list may be NULL. BAD_PUBLIC_KEY names the weakness. */
bool key_check(EVP_PKEY *key, const struct key_blocklist *list, struct problem *p) must_use;
