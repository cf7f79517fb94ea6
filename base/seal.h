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
bool seal_close(const struct seal *s, const char *context, struct bytes plain, struct buf *ret, struct problem *p) must_use;
/* false without a problem when the bytes are not ours: the caller says what that means. */
bool seal_reveal(const struct seal *s, const char *context, struct bytes sealed, struct buf *ret) must_use;
void seal_free(struct seal *s);
declare_auto_struct(seal, seal_free);
