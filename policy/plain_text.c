#include "policy/plain_text.h"

#include <strings.h>

struct range {
	uint32_t first, last;
};

/* Control characters, soft hyphens, fillers, zero-width spaces and joiners of words, marks and overrides of direction,
 * ends of lines, selectors of variants, tags. Joiners within words (U+200C, U+200D) are part of how some languages
 * are written. */
static const struct range unseen[] = {
	{ 0x80, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f }, { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x2800, 0x2800 },
	{ 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static const struct range spaces[] = {
	{ 0x20, 0x20 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
	{ 0x3000, 0x3000 },
};

static const struct range joiners[] = { { 0x200c, 0x200d } };

static bool in(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define is_in(ranges, c) in(ranges, array_length(ranges), c)

/* One character, and how long it is; a byte that is none of UTF-8 stands for itself. */
static uint32_t character(const char *at, size_t *ret_len)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t len = str_utf8(at, strlen(at));

	*ret_len = len > 0 ? len : 1;
	uint32_t c = (uint8_t)at[0] & (len > 0 ? first_bits[len] : 0xff);
	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((uint8_t)at[i] & 0x3f);
	return c;
}

bool plain_text_hides(const char *text)
{
	bool space = true; /* at the beginning, and so far at the end */
	size_t len;

	for (const char *at = text; *at; at += len) {
		uint32_t c = character(at, &len);
		space = is_in(spaces, c);
		if (is_in(unseen, c) || (space && at == text))
			return true;
	}
	return space && *text != '\0';
}

/* What stands there, of spaces one, at the end none; returns what follows it. */
static const char *step(const char *at, char *ret)
{
	size_t run = strspn(at, " ");

	*ret = run == 0 ? *at : at[run] != '\0' ? ' ' : '\0';
	return at + (run > 0 ? run : *at != '\0');
}

bool plain_text_equal(const char *a, const char *b)
{
	char left, right;

	a += strspn(a, " ");
	b += strspn(b, " ");
	do {
		a = step(a, &left);
		b = step(b, &right);
		if (strncasecmp(&left, &right, 1) != 0)
			return false;
	} while (left != '\0');
	return true;
}

void plain_text_squeeze(const char *text, char *ret, size_t size)
{
	size_t used = 0;

	text += strspn(text, " ");
	for (; *text && used + 1 < size; text++)
		if (*text != ' ' || (text[1] != ' ' && text[1] != '\0'))
			ret[used++] = *text;
	ret[used] = '\0';
}

void plain_text_reduce(const char *text, char *ret, size_t size)
{
	size_t used = 0, len;

	for (const char *at = text; *at; at += len) {
		uint32_t c = character(at, &len);
		bool space = is_in(spaces, c);
		size_t kept = is_in(joiners, c) ? 0 : space ? 1 : len;
		if (used + kept >= size)
			break;
		memcpy(ret + used, space ? " " : at, kept);
		used += kept;
	}
	ret[used] = '\0';
}
