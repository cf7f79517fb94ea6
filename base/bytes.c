#include "base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { CAP_FIRST = 512 }; /* most texts end within it: growing costs more than room that is not used */

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n > 0 ? memcmp(a.data, b.data, n) : 0;

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

bool bytes_start(struct bytes b, struct bytes prefix)
{
	return b.len >= prefix.len && bytes_equal(BYTES(b.data, prefix.len), prefix);
}

bool bytes_take(struct bytes *in, size_t len, struct bytes *ret)
{
	if (in->len < len)
		return false;
	*ret = BYTES(in->data, len);
	*in = BYTES(in->data + len, in->len - len);
	return true;
}

bool bytes_take_text(struct bytes *in, const char *text)
{
	struct bytes taken;

	return bytes_take(in, strlen(text), &taken) && bytes_equal(taken, BYTES_STR(text));
}

bool bytes_take_decimal(struct bytes *in, uint64_t *ret)
{
	uint64_t n = 0;
	size_t len = 0;

	for (; len < in->len && in->data[len] >= '0' && in->data[len] <= '9' && n < UINT64_MAX / 10 - 1; len++)
		n = n * 10 + (uint64_t)(in->data[len] - '0');
	*in = BYTES(in->data + len, in->len - len);
	*ret = n;
	return len > 0;
}

static size_t grown_capacity(size_t cap, size_t wanted)
{
	size_t grown = cap < CAP_FIRST ? CAP_FIRST : cap * 2;

	if (grown > (size_t)BUF_MAX + 1)
		grown = (size_t)BUF_MAX + 1;
	return grown > wanted ? grown : wanted;
}

/* realloc would leave a copy of a secret behind. */
static bool buf_grow(struct buf *b, size_t len)
{
	if (b->failed)
		return false;
	size_t cap = len <= BUF_MAX - b->len ? grown_capacity(b->cap, b->len + len + 1) : 0;
	uint8_t *data = cap > 0 ? malloc(cap) : NULL;
	if (!data) {
		b->failed = true;
		return false;
	}
	if (b->data) {
		memcpy(data, b->data, b->len);
		mem_wipe(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

/* Room for len more bytes and the NUL. */
static inline bool buf_reserve(struct buf *b, size_t len)
{
	return (b->data && !b->failed && len < b->cap - b->len) || buf_grow(b, len);
}

static inline uint8_t *extend(struct buf *b, size_t len)
{
	if (!buf_reserve(b, len))
		return NULL;
	uint8_t *begin = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return begin;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	return extend(b, len);
}

void buf_shorten(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	uint8_t *to = len > 0 ? extend(b, len) : NULL;

	if (to)
		memcpy(to, data, len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_strs(struct buf *b, ...)
{
	const char *s;
	va_list args;

	va_start(args, b);
	while ((s = va_arg(args, const char *)))
		buf_add_str(b, s);
	va_end(args);
}

void buf_add_char(struct buf *b, char c)
{
	uint8_t *to = extend(b, 1);

	if (to)
		*to = (uint8_t)c;
}

void buf_add_decimal(struct buf *b, uint64_t n)
{
	char text[STR_DECIMAL_SIZE];

	buf_add_str(b, str_decimal(n, text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;

	if (!buf_reserve(b, 0))
		return;
	size_t room = b->cap - b->len;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf((char *)b->data + b->len, room, fmt, args);
	if (n >= 0 && (size_t)n >= room && buf_reserve(b, (size_t)n))
		n = vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(args);
	if (n < 0)
		b->failed = true;
	if (!b->failed)
		b->len += (size_t)n;
	b->data[b->len] = '\0';
}

void buf_clear(struct buf *b)
{
	b->failed = false;
	buf_shorten(b, 0);
}

struct bytes buf_bytes(const struct buf *b)
{
	return BYTES(b->data, b->len);
}

const char *buf_text(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}

void *buf_take(struct buf *b, size_t *ret_len)
{
	if (!buf_reserve(b, 0)) {
		buf_free(b);
		b->failed = true;
		return NULL;
	}
	buf_shorten(b, b->len);
	if (ret_len)
		*ret_len = b->len;
	void *data = b->data;
	*b = (struct buf){0};
	return data;
}

bool buf_check(const struct buf *b, struct problem *p)
{
	return b->failed ? problem_memory(p) : true;
}

void buf_free(struct buf *b)
{
	if (b->data)
		mem_wipe(b->data, b->cap);
	free(b->data);
	*b = (struct buf){0};
}
