/* Bytes: a borrowed view, and a growable buffer.
 *
 * `struct bytes` borrows; whoever made it says for how long. `struct buf` owns its bytes, grows up
 * to BUF_MAX, and keeps a sticky failure, so that a run of appends is checked once, at the end.
 * Every buffer is wiped when freed: it may have held a key. Not thread-safe. */
#pragma once

#include "base/mem.h"
#include "base/problem.h"

struct bytes {
	const uint8_t *data;
	size_t len;
};
#define BYTES(p, n) ((struct bytes){ (const uint8_t *)(p), (n) })
#define BYTES_STR(s) BYTES((s), strlen(s))

bool bytes_equal(struct bytes a, struct bytes b) must_use;
/* In the order of their bytes, as memcmp has it; of two that begin alike the shorter one comes first. */
int bytes_compare(struct bytes a, struct bytes b) must_use;
bool bytes_start(struct bytes b, struct bytes prefix) must_use; /* whether b begins with it */
/* Cuts the first len bytes off in. false: there are fewer. */
bool bytes_take(struct bytes *in, size_t len, struct bytes *ret) must_use;
/* The same of a text, which must stand there, and of a decimal number up to where no digit stands; false: it does not,
 * and what is left of in is not said. */
bool bytes_take_text(struct bytes *in, const char *text) must_use;
bool bytes_take_decimal(struct bytes *in, uint64_t *ret) must_use;

struct buf {
	uint8_t *data; /* NUL follows data[len-1] whenever data is not NULL */
	size_t len, cap;
	bool failed;
};
enum { BUF_MAX = 64 * 1024 * 1024 };

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
/* The strings one after the other, up to a NULL. */
void buf_add_strs(struct buf *b, ...) __attribute__((sentinel));
void buf_add_decimal(struct buf *b, uint64_t n);
/* Lengthens by len bytes and returns where they begin, for the caller to fill; NULL: failed. */
uint8_t *buf_extend(struct buf *b, size_t len) must_use;
/* Shortens to len bytes, which must not be more than there are. */
void buf_shorten(struct buf *b, size_t len);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_add_hex(struct buf *b, struct bytes data);       /* lower case */
void buf_add_base64(struct buf *b, struct bytes data);    /* RFC 4648, 4, padded, one line */
void buf_add_base64url(struct buf *b, struct bytes data); /* RFC 4648, 5, no padding */
void buf_clear(struct buf *b);                            /* len = 0, failure forgotten, memory kept */
struct bytes buf_bytes(const struct buf *b);
/* The text so far; "" for an empty buffer. Borrowed until the next change. */
const char *buf_text(const struct buf *b);
/* Takes the bytes as a malloc'd, NUL-terminated block; the buffer is empty afterwards. NULL if
 * the buffer failed. ret_len may be NULL. */
void *buf_take(struct buf *b, size_t *ret_len) must_use;
/* true, or a memory refusal when any append failed. */
bool buf_check(const struct buf *b, struct problem *p) must_use;
void buf_free(struct buf *b);
declare_auto_value(buf, buf_free);
