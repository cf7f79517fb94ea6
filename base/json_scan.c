#include "base/json_scan.h"

#include <stdio.h>

#include "base/ascii.h"
#include "base/json.h"

struct scan {
	const uint8_t *begin, *at, *end;
	char open[JSON_DEPTH_MAX]; /* '{' or '[' of each level */
	struct bytes name[JSON_DEPTH_MAX]; /* of the member that each level is at, as written; of an array none */
	size_t index[JSON_DEPTH_MAX];
	unsigned depth;
	size_t values;
	struct problem *p;
};

enum want { WANT_VALUE, WANT_NAME, WANT_FIRST_VALUE, WANT_FIRST_NAME, WANT_NEXT, WANT_FAILED };

enum { PATH_SIZE = 64 };

/* "attributes.altNames[0]": what the fault is in, as far as there is room. */
static void scan_path(const struct scan *s, char ret[PATH_SIZE])
{
	size_t used = 0;

	for (unsigned i = 0; i < s->depth && used < PATH_SIZE; i++) {
		struct bytes name = s->name[i];
		int n = 0, len = name.len < PATH_SIZE ? (int)name.len : PATH_SIZE;

		if (s->open[i] == '[')
			n = snprintf(ret + used, PATH_SIZE - used, "[%zu]", s->index[i]);
		else if (len > 0)
			n = snprintf(ret + used, PATH_SIZE - used, "%s%.*s", used ? "." : "", len,
			             (const char *)name.data);
		used += n > 0 ? (size_t)n : 0;
	}
}

static bool scan_refuse(const struct scan *s, const char *why)
{
	size_t byte = (size_t)(s->at - s->begin);
	char path[PATH_SIZE] = "";

	scan_path(s, path);
	problem_set(s->p, PROBLEM_MALFORMED, "RFC 8259: %s at byte %zu", why, byte);
	return *path ? problem_add_field(s->p, PROBLEM_MALFORMED, path, NULL, "RFC 8259: %s at byte %zu", why, byte)
	             : false;
}

/* 0 at the end: a NUL is not a character of the grammar either. */
static uint8_t scan_peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : 0;
}

static bool scan_take(struct scan *s, uint8_t c)
{
	if (scan_peek(s) != c)
		return false;
	s->at++;
	return true;
}

static void scan_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool scan_digits(struct scan *s)
{
	const uint8_t *begin = s->at;

	while (ascii_is_digit((char)scan_peek(s)))
		s->at++;
	return s->at > begin;
}

enum { NUMBER_MAX = 60 }; /* cJSON reads no more than 63 characters */

static bool scan_number(struct scan *s)
{
	const uint8_t *begin = s->at;

	scan_take(s, '-');
	if (!scan_take(s, '0') && !scan_digits(s))
		return scan_refuse(s, "no number");
	if (scan_take(s, '.') && !scan_digits(s))
		return scan_refuse(s, "no digit after the point");
	if (scan_take(s, 'e') || scan_take(s, 'E')) {
		if (!scan_take(s, '-'))
			scan_take(s, '+');
		if (!scan_digits(s))
			return scan_refuse(s, "no digit in the exponent");
	}
	return s->at - begin <= NUMBER_MAX ? true : scan_refuse(s, "a number too long");
}

/* The four digits after \u; -1: not four digits. */
static int32_t scan_unit(struct scan *s)
{
	int32_t unit = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		int value = ascii_hex((char)scan_peek(s));
		if (value < 0)
			return -1;
		unit = unit << 4 | value;
	}
	return unit;
}

/* Surrogates come in pairs, high before low, RFC 8259, 8.2. */
static bool scan_unicode(struct scan *s)
{
	int32_t unit = scan_unit(s);

	if (unit < 0)
		return scan_refuse(s, "no hexadecimal digit");
	if (unit == 0)
		return scan_refuse(s, "an escaped NUL");
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit < 0xdc00 && scan_take(s, '\\') && scan_take(s, 'u')) {
		int32_t low = scan_unit(s);
		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	return scan_refuse(s, "an unpaired surrogate");
}

static bool scan_escape(struct scan *s)
{
	uint8_t c = scan_peek(s);

	if (c == 0 || !strchr("\"\\/bfnrtu", c))
		return scan_refuse(s, "an unknown escape");
	s->at++;
	return c == 'u' ? scan_unicode(s) : true;
}

/* The run of ASCII that most strings are: all but '"' and '\'. */
static void scan_plain(struct scan *s)
{
	static const bool plain[256] = { [0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7f] = true };
	const uint8_t *at = s->at;

	while (at < s->end && plain[*at])
		at++;
	s->at = at;
}

static bool scan_string(struct scan *s)
{
	if (!scan_take(s, '"'))
		return scan_refuse(s, "no string");
	for (scan_plain(s); !scan_take(s, '"'); scan_plain(s)) {
		size_t len = str_utf8(s->at, (size_t)(s->end - s->at));
		if (s->at == s->end)
			return scan_refuse(s, "an unfinished string");
		if (len == 0)
			return scan_refuse(s, "a byte that is not UTF-8");
		if (*s->at < 0x20)
			return scan_refuse(s, "a bare control character");
		bool escape = *s->at == '\\';
		s->at += len;
		if (escape && !scan_escape(s))
			return false;
	}
	return true;
}

static bool scan_literal(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return scan_refuse(s, "no value");
	s->at += len;
	return true;
}

static bool scan_scalar(struct scan *s)
{
	switch (scan_peek(s)) {
	case '"': return scan_string(s);
	case 't': return scan_literal(s, "true");
	case 'f': return scan_literal(s, "false");
	case 'n': return scan_literal(s, "null");
	default: return scan_number(s);
	}
}

static enum want scan_value(struct scan *s)
{
	uint8_t c = scan_peek(s);

	if (++s->values > JSON_NODES_MAX) {
		scan_refuse(s, "too many values");
		return WANT_FAILED;
	}
	if (c != '{' && c != '[')
		return scan_scalar(s) ? WANT_NEXT : WANT_FAILED;
	if (s->depth == JSON_DEPTH_MAX) {
		scan_refuse(s, "too many levels");
		return WANT_FAILED;
	}
	s->name[s->depth] = BYTES(NULL, 0);
	s->index[s->depth] = 0;
	s->open[s->depth++] = (char)c;
	s->at++;
	return c == '{' ? WANT_FIRST_NAME : WANT_FIRST_VALUE;
}

static enum want scan_name(struct scan *s)
{
	const uint8_t *begin = s->at + 1;

	s->name[s->depth - 1] = BYTES(NULL, 0);
	if (!scan_string(s))
		return WANT_FAILED;
	s->name[s->depth - 1] = BYTES(begin, (size_t)(s->at - begin) - 1);
	scan_space(s);
	if (scan_take(s, ':'))
		return WANT_VALUE;
	scan_refuse(s, "no colon");
	return WANT_FAILED;
}

static bool scan_close(struct scan *s)
{
	if (!scan_take(s, s->open[s->depth - 1] == '{' ? '}' : ']'))
		return false;
	s->depth--;
	return true;
}

/* After a value inside a container. */
static enum want scan_next(struct scan *s)
{
	s->index[s->depth - 1]++;
	if (scan_take(s, ','))
		return s->open[s->depth - 1] == '{' ? WANT_NAME : WANT_VALUE;
	if (scan_close(s))
		return WANT_NEXT;
	scan_refuse(s, "no comma and no end");
	return WANT_FAILED;
}

static enum want scan_step(struct scan *s, enum want want)
{
	bool first = want == WANT_FIRST_NAME || want == WANT_FIRST_VALUE;

	if (first && scan_close(s))
		return WANT_NEXT;
	if (want == WANT_NEXT)
		return scan_next(s);
	return want == WANT_NAME || want == WANT_FIRST_NAME ? scan_name(s) : scan_value(s);
}

static bool scan_document(struct scan *s)
{
	enum want want = WANT_VALUE;

	do {
		scan_space(s);
		want = scan_step(s, want);
	} while (want != WANT_FAILED && (want != WANT_NEXT || s->depth > 0));
	if (want == WANT_FAILED)
		return false;
	scan_space(s);
	return s->at == s->end ? true : scan_refuse(s, "more than one value");
}

bool json_scan(struct bytes text, size_t *ret_values, struct problem *p)
{
	if (text.len == 0) /* data may be NULL then, from which no end can be counted */
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8259: no value: the text is empty");

	struct scan s = { .begin = text.data, .at = text.data, .end = text.data + text.len, .p = p };
	if (!scan_document(&s))
		return false;
	*ret_values = s.values;
	return true;
}
