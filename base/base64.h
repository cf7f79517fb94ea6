/* Base64 as RFC 4648 has it: strict base64url for JOSE, tolerant base64 for EST and PEM.
 * What decodes into a buffer leaves it as it was where it says false, but that it has failed where
 * it was memory that was wanting: buf_check tells the two apart. Owns nothing; any thread. */
#pragma once

#include "base/bytes.h"

/* Strict base64url (RFC 7515, section 2): no padding, no white space, no other character, and the
 * unused bits of the last character are zero. Appends to ret. */
bool base64url_decode(const char *text, size_t len, struct buf *ret) must_use;
/* The same into len * 3 / 4 bytes of the caller's. false: ret holds anything. */
bool base64url_decode_to(const char *text, size_t len, uint8_t *ret) must_use;
/* Room for whole groups of four, and a NUL. */
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
/* Without padding, and a NUL; ret has BASE64_SIZE(data.len). */
void base64url_encode_to(struct bytes data, char *ret);

/* Standard base64 with any or no white space (CR LF SP TAB), padded (RFC 8951, section 3.1). */
bool base64_decode(const char *text, size_t len, struct buf *ret) must_use;

/* Hexadecimal, either case, even length. */
bool hex_decode(const char *text, size_t len, struct buf *ret) must_use;
