/* Bearer: how a client of the API shows which token it has (store/token.h), and whether it has it.
 *
 * A token is `enrolld_ID.SECRET`: the id of its record, and 256 random bits in base64url. The record
 * keeps SHA-256 of the whole: a secret of so much chance cannot be guessed from its hash, so a slow
 * hash, made for passwords that people choose, would only slow the server down. The comparison
 * takes the same time wherever two hashes differ. Any thread. */
#pragma once

#include "base/digest.h"
#include "store/token.h"

#define BEARER_PREFIX "enrolld_"
enum { BEARER_SIZE = sizeof(BEARER_PREFIX) - 1 + RANDOM_ID_SIZE - 1 + 1 + 43 + 1 };

/* A fresh token of that id. */
bool bearer_make(const char id[RANDOM_ID_SIZE], char ret[BEARER_SIZE], uint8_t ret_hash[SHA256_SIZE],
                 struct problem *p) must_use;
/* The record of the token, which is neither revoked nor expired. UNAUTHENTICATED. */
bool bearer_check(struct store *store, const char *text, int64_t now, struct token *ret, struct problem *p) must_use;
/* The token of that id, as it is now: for what its bearer asked for earlier. UNAUTHENTICATED, NOT_FOUND. */
bool bearer_check_id(struct store *store, const char *id, int64_t now, struct token *ret, struct problem *p) must_use;
/* The token of a client certificate, in DER, whose key its client has proven (TLS): a token has its
 * public key, its dates hold, and if it is one of ours it is not revoked. UNAUTHENTICATED. */
bool bearer_check_certificate(struct store *store, struct bytes der, int64_t now, struct token *ret,
                              struct problem *p) must_use;
