#include "server/chunked.h"

#include <assert.h>

#include "base/ascii.h"

enum state {
	SIZE_FIRST, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER_FIRST, TRAILER, TRAILER_LF, END_LF, WHOLE,
};
enum { DIGITS_MAX = 8 };

size_t chunked_wants(const struct chunked *chunked)
{
	switch ((enum state)chunked->state) {
	case WHOLE: return 0;
	case DATA: return chunked->left + 2; /* a CRLF follows */
	default: return 1;
	}
}

static bool malformed(const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 7.1: %s", what);
}

static bool too_large(size_t max, struct problem *p)
{
	return problem_set(p, PROBLEM_TOO_LARGE, "RFC 9110, 15.5.14: the content is longer than %zu bytes", max);
}

static bool take_size(struct chunked *chunked, uint8_t c, struct problem *p)
{
	int digit = ascii_hex((char)c);

	if (digit >= 0 && chunked->digits == DIGITS_MAX)
		return malformed("the size of a chunk has more than eight digits", p);
	if (digit >= 0) {
		chunked->left = chunked->left * 16 + (size_t)digit;
		chunked->digits++;
		chunked->state = SIZE;
		return true;
	}
	if (chunked->digits == 0 || !(c == '\r' || c == ';' || c == ' ' || c == '\t'))
		return malformed("a chunk does not begin with its size in hexadecimal", p);
	chunked->state = c == '\r' ? SIZE_LF : EXTENSION;
	return true;
}

/* Of an extension or a trailer. */
static bool take_text(struct chunked *chunked, uint8_t c, enum state next, struct problem *p)
{
	if (c == '\r')
		chunked->state = next;
	else if ((c < ' ' && c != '\t') || c == 0x7f)
		return malformed("an extension or a trailer has a control character", p);
	return true;
}

static bool take_lf(struct chunked *chunked, uint8_t c, enum state next, struct problem *p)
{
	chunked->state = next;
	return c == '\n' || malformed("a carriage return stands without a line feed", p);
}

static bool end_size(struct chunked *chunked, uint8_t c, size_t room, size_t max, struct problem *p)
{
	if (!take_lf(chunked, c, chunked->left > 0 ? DATA : TRAILER_FIRST, p))
		return false;
	chunked->digits = 0;
	return chunked->left <= room || too_large(max, p);
}

static bool end_data(struct chunked *chunked, uint8_t c, struct problem *p)
{
	chunked->state = DATA_LF;
	return c == '\r' || malformed("a chunk is longer than its size says", p);
}

static bool begin_trailer(struct chunked *chunked, uint8_t c, struct problem *p)
{
	chunked->state = c == '\r' ? END_LF : TRAILER;
	return c == '\r' || take_text(chunked, c, TRAILER_LF, p);
}

static bool take(struct chunked *chunked, uint8_t c, size_t room, size_t max, struct problem *p)
{
	if (++chunked->framing > CHUNKED_FRAMING_MAX)
		return malformed("there is too much between the chunks", p);
	switch ((enum state)chunked->state) {
	case SIZE_FIRST:
	case SIZE: return take_size(chunked, c, p);
	case EXTENSION: return take_text(chunked, c, SIZE_LF, p);
	case SIZE_LF: return end_size(chunked, c, room, max, p);
	case DATA_CR: return end_data(chunked, c, p);
	case DATA_LF: return take_lf(chunked, c, SIZE_FIRST, p);
	case TRAILER_FIRST: return begin_trailer(chunked, c, p);
	case TRAILER: return take_text(chunked, c, TRAILER_LF, p);
	case TRAILER_LF: return take_lf(chunked, c, TRAILER_FIRST, p);
	case END_LF: return take_lf(chunked, c, WHOLE, p);
	case DATA:
	case WHOLE: break;
	}
	assert(false);
}

bool chunked_feed(struct chunked *chunked, struct bytes data, size_t max, struct buf *ret, struct problem *p)
{
	while (data.len > 0) {
		size_t n = 1;
		assert(chunked->state != WHOLE);
		if (chunked->state == DATA) {
			n = data.len < chunked->left ? data.len : chunked->left;
			buf_add(ret, data.data, n);
			chunked->left -= n;
			chunked->state = chunked->left > 0 ? DATA : DATA_CR;
		} else if (!take(chunked, data.data[0], max - ret->len, max, p)) {
			return false;
		}
		data = BYTES(data.data + n, data.len - n);
	}
	return buf_check(ret, p);
}
