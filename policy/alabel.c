#include "policy/alabel.h"

#include <strings.h>

/* RFC 3492, 5. */
enum {
	BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128,
	CONTROLS_END = 0xa0, SURROGATES = 0xd800, SURROGATES_END = 0xe000, LAST = 0x10ffff,
	LABEL_MAX = 63,
};

/* BASE: no digit. */
static uint32_t digit_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a');
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	return c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 26 : BASE;
}

/* 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	for (delta += delta / count; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One delta as digits of varying weight (3.3), added to *sum. false: none, or over 32 bits. */
static bool take_delta(const char **at, const char *end, uint32_t bias, uint32_t *sum)
{
	uint64_t weight = 1, value = *sum;

	for (uint32_t k = BASE; *at < end; k += BASE) {
		uint32_t digit = digit_of(*(*at)++);
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		value += digit * weight;
		if (digit == BASE || value > UINT32_MAX)
			return false;
		*sum = (uint32_t)value;
		if (digit < t)
			return true;
		weight *= BASE - t;
		if (weight > UINT32_MAX)
			return false;
	}
	return false;
}

static bool is_character(uint32_t c)
{
	return c >= CONTROLS_END && c <= LAST && (c < SURROGATES || c >= SURROGATES_END);
}

/* The letters of ASCII stand before the last hyphen; of where the others come between them nothing is kept. */
static bool is_punycode(const char *text, size_t len)
{
	const char *hyphen = memrchr(text, '-', len), *at = hyphen ? hyphen + 1 : text;
	uint32_t n = INITIAL_N, i = 0, bias = INITIAL_BIAS, count = (uint32_t)(at - text) - (hyphen != NULL);

	if (at == text + len)
		return false;
	for (bool first = true; at < text + len; first = false) {
		uint32_t old = i;
		if (!take_delta(&at, text + len, bias, &i))
			return false;
		count++;
		bias = adapt(i - old, count, first);
		if (i / count > LAST - n)
			return false;
		n += i / count;
		i = i % count + 1;
		if (!is_character(n))
			return false;
	}
	return true;
}

bool alabel_check(const char *label, size_t len)
{
	static const char prefix[] = "xn--";
	size_t prefix_len = sizeof(prefix) - 1;

	if (len < prefix_len || strncasecmp(label, prefix, prefix_len) != 0)
		return true;
	return len <= LABEL_MAX && is_punycode(label + prefix_len, len - prefix_len);
}
