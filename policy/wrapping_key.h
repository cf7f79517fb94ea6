/* Wrapping key: a key that a device and this server have been given, with which the keys that are made for it are
 * encrypted (RFC 7030, 4.4.1.1). Its DecryptKeyIdentifier is its id in the store, as text. The key itself is needed,
 * so it is kept sealed. Any thread. */
#pragma once

#include "store/enrollment.h"

enum { WRAPPING_KEY_SIZE = 32, WRAPPING_KEY_TEXT_SIZE = 2 * WRAPPING_KEY_SIZE + 1 };

/* A fresh one, in hexadecimal, and sealed for the record. The caller wipes the text. */
bool wrapping_key_make(const struct store *store, char ret_hex[WRAPPING_KEY_TEXT_SIZE], struct buf *ret_sealed,
                       struct problem *p) must_use;
/* Appends the key with this identifier that is good now in this profile. false without a problem: there is none. */
bool wrapping_key_find(struct store *store, struct bytes id, const char *profile, int64_t now, struct buf *ret,
                       struct problem *p) must_use;
