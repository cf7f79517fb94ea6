/* Seal: authenticated encryption of small secrets at rest and of nonces, AES-256-GCM.
 *
 * A `struct seal` holds one key, wiped when freed. Form: 12 random bytes, ciphertext, 16 bytes of
 * tag; `context` is authenticated, not stored. Thread-safe. */
#pragma once

#include "base/bytes.h"

struct seal;

bool seal_new(const uint8_t key[32], struct seal **ret, struct problem *p) must_use;
/* Reads the 32-byte key of the file, making the file (0600) when it is missing. */
bool seal_open_file(const char *path, struct seal **ret, struct problem *p) must_use;
bool seal_close(const struct seal *s, const char *context, struct bytes plain, struct buf *ret,
                struct problem *p) must_use;
/* false without a problem when the bytes are not ours: the caller says what that means. */
bool seal_reveal(const struct seal *s, const char *context, struct bytes sealed, struct buf *ret) must_use;
/* A key for another use, HMAC-SHA-256 of the context under the seal's: for each context another one,
 * from which neither the seal's key nor any other follows. */
void seal_derive(const struct seal *s, const char *context, uint8_t ret[32]);
void seal_free(struct seal *s);
declare_auto_struct(seal, seal_free);
