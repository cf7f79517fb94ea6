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

/* Reads a whole file, at most max bytes. NOT_FOUND / INTERNAL name the path and the reason. */
bool file_read(const char *path, size_t max, struct buf *ret, struct problem *p) must_use;
/* Why path could not be opened, of errno, with whose it is. */
bool file_denied(const char *path, enum problem_kind kind, struct problem *p);
/* Writes a new file beside and renames it, mode e.g. 0600, fsyncs file and folder. As root in somebody
 * else's folder, the file is that one's, where the kernel lets us: a service of another user reads what an
 * operator's command writes. */
bool file_write(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* The same, but never in place of a file that is there: CONFLICT. Of several makers one wins. */
bool file_write_new(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* Like file_write, and stays the writer's: what is secret and leaves our own folders. */
bool file_export(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* Gives a file or folder that is there already, and is root's, to the owner of its folder. */
void file_give(const char *path);
