/* SPKI: what a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) must look like before it is signed, and the
 * key identifier that is made of it. Values; any thread. */
#pragma once

#include "policy/key.h"

enum { KEY_IDENTIFIER_SIZE = 20 };

/* The content of subjectPublicKey. BAD_PUBLIC_KEY when der is not DER, or its AlgorithmIdentifier
 * is not the one that the RFCs give to this algorithm. Borrowed from der. */
bool spki_key_bits(struct bytes der, enum key_algorithm algorithm, struct bytes *ret, struct problem *p) must_use;
/* KeyHash of RFC 6960, 4.2.1: SHA-1. An OCSP responder's key identifier is its ResponderID: readers look it
 * up by that. */
void spki_key_hash(struct bytes key_bits, uint8_t ret[KEY_IDENTIFIER_SIZE]);
/* RFC 7093, 2, method 1: the leftmost 160 bits of the SHA-256 of those bits. */
void spki_key_identifier(struct bytes key_bits, uint8_t ret[KEY_IDENTIFIER_SIZE]);
