/* Base64 as RFC 4648 has it: strict base64url for JOSE, tolerant base64 for EST and PEM.
 * Owns nothing; any thread. */
#pragma once

#include "base/bytes.h"

/* Strict base64url (RFC 7515, section 2): no padding, no white space, no other character, and the
 * unused bits of the last character are zero. Appends to ret. false: not that; ret unchanged. */
bool base64url_decode(const char *text, size_t len, struct buf *ret) must_use;
/* The same into len * 3 / 4 bytes of the caller's. false: ret holds anything. */
bool base64url_decode_to(const char *text, size_t len, uint8_t *ret) must_use;
/* Without padding, and a NUL; ret has room for whole groups of four and that. */
void base64url_encode_to(struct bytes data, char *ret);

/* Standard base64 with any or no white space (CR LF SP TAB), padded (RFC 8951, section 3.1).
 * false: not that; ret unchanged. */
bool base64_decode(const char *text, size_t len, struct buf *ret) must_use;

/* Hexadecimal, either case, even length. */
bool hex_decode(const char *text, size_t len, struct buf *ret) must_use;
