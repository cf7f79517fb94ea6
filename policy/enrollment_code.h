/* Enrollment code: what a device shows, once or a few times, to get its certificate over EST.
 *
 * A code is `est_ID.SECRET`: the id of its record (store/enrollment.h), and 128 random bits in
 * base64url. The record keeps HMAC-SHA-256 of the whole under a key that the store's seal derives, so
 * that a copy of the store alone does not even tell whether a code that was found is one of ours. The
 * comparison takes the same time wherever two hashes differ. Any thread. */
#pragma once

#include "base/digest.h"
#include "store/enrollment.h"

#define ENROLLMENT_CODE_PREFIX "est_"
enum { ENROLLMENT_CODE_SIZE = sizeof(ENROLLMENT_CODE_PREFIX) - 1 + 2 * (RANDOM_ID_SIZE - 1) + 1 + 1 };

/* A fresh code of that id. */
bool enrollment_code_make(const struct store *store, const char id[RANDOM_ID_SIZE], char ret[ENROLLMENT_CODE_SIZE],
                          uint8_t ret_hash[SHA256_SIZE], struct problem *p) must_use;
/* Whether the text has the form of a code. */
bool enrollment_code_is(const char *text) must_use;
/* The record of the code, which is good now. UNAUTHENTICATED. */
bool enrollment_code_check(struct store *store, const char *code, int64_t now, struct enrollment *ret,
                           struct problem *p) must_use;
/* Whether the record, of any kind, is one that still gives certificates: UNAUTHENTICATED says why not. */
bool enrollment_code_good(const struct enrollment *enrollment, int64_t now, struct problem *p) must_use;
/* The same of a code that may be used up: who shows it is who used it, and may be told again what it gave.
 * UNAUTHENTICATED. */
bool enrollment_code_spent(struct store *store, const char *code, int64_t now, struct enrollment *ret,
                           struct problem *p) must_use;
/* Counts one use of the credential, in the update that records the certificate: two requests at once cannot
 * share the last use. UNAUTHENTICATED. */
bool enrollment_code_use(struct store_txn *txn, const char *id, int64_t now, struct problem *p) must_use;
