#include "base/base64.h"

/* Digit values with IS_DIGIT set, so that a zero entry is "no digit" and a run of characters can be
 * checked at once: the AND of their entries keeps the bit only if all are digits. */
enum { IS_DIGIT = 0x80, VALUE = 0x3f };

#define ALPHABET_62 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define DIGITS_62                                                                               \
	['A'] = 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c,   \
	0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,           \
	['a'] = 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6,   \
	0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3,           \
	['0'] = 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd

static const char standard_alphabet[] = ALPHABET_62 "+/", url_alphabet[] = ALPHABET_62 "-_";
static const uint8_t standard_digits[256] = { DIGITS_62, ['+'] = 0xbe, ['/'] = 0xbf };
static const uint8_t url_digits[256] = { DIGITS_62, ['-'] = 0xbe, ['_'] = 0xbf };
static const uint8_t hex_digits[256] = {
	['0'] = 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
	['A'] = 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, ['a'] = 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
};

/* Three bytes out of four characters each. */
static bool decode_quads(const uint8_t *digits, const uint8_t *in, size_t quads, uint8_t *out)
{
	uint8_t all = IS_DIGIT;

	for (; quads > 0; quads--, in += 4, out += 3) {
		uint8_t a = digits[in[0]], b = digits[in[1]], c = digits[in[2]], d = digits[in[3]];
		all &= a & b & c & d;
		uint32_t v = (uint32_t)(a & VALUE) << 18 | (uint32_t)(b & VALUE) << 12 |
		             (uint32_t)(c & VALUE) << 6 | (d & VALUE);
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
	}
	return all == IS_DIGIT;
}

/* The last two or three characters: one or two bytes, and the bits left over are zero. */
static bool decode_tail(const uint8_t *digits, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t a = digits[in[0]], b = digits[in[1]], c = len == 3 ? digits[in[2]] : IS_DIGIT;
	uint32_t v = (uint32_t)(a & VALUE) << 18 | (uint32_t)(b & VALUE) << 12 | (uint32_t)(c & VALUE) << 6;

	out[0] = (uint8_t)(v >> 16);
	if (len == 3)
		out[1] = (uint8_t)(v >> 8);
	return (a & b & c & IS_DIGIT) && (v & (len == 3 ? 0xffu : 0xffffu)) == 0;
}

/* Digits alone, without padding; out has room for the whole groups and for what is left. */
static bool decode_to(const uint8_t *digits, const uint8_t *in, size_t len, uint8_t *out)
{
	size_t quads = len / 4, tail = len % 4;

	return tail != 1 && decode_quads(digits, in, quads, out) &&
	       (tail == 0 || decode_tail(digits, in + quads * 4, tail, out + quads * 3));
}

static bool decode(const uint8_t *digits, const uint8_t *in, size_t len, struct buf *ret)
{
	size_t begin = ret->len;
	uint8_t *out = buf_extend(ret, len / 4 * 3 + len % 4 * 3 / 4);

	if (!out)
		return false;
	if (decode_to(digits, in, len, out))
		return true;
	buf_shorten(ret, begin);
	return false;
}

bool base64url_decode_to(const char *text, size_t len, uint8_t *ret)
{
	return decode_to(url_digits, (const uint8_t *)text, len, ret);
}

bool base64url_decode(const char *text, size_t len, struct buf *ret)
{
	return decode(url_digits, (const uint8_t *)text, len, ret);
}

/* The text without white space. Returns how long that is. */
static size_t add_dense(const char *text, size_t len, uint8_t *to)
{
	uint8_t *begin = to;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ' && text[i] != '\t')
			*to++ = (uint8_t)text[i];
	return (size_t)(to - begin);
}

/* Where the digits stand the bytes come to stand: three never reach the four that are read next. */
bool base64_decode(const char *text, size_t len, struct buf *ret)
{
	size_t begin = ret->len;
	uint8_t *out = buf_extend(ret, len);

	if (!out)
		return false;
	size_t dense = add_dense(text, len, out), digits = dense;
	while (dense - digits < 2 && digits > 0 && out[digits - 1] == '=')
		digits--;
	bool good = dense % 4 == 0 && decode_to(standard_digits, out, digits, out);
	buf_shorten(ret, begin + (good ? digits / 4 * 3 + digits % 4 * 3 / 4 : 0));
	return good;
}

bool hex_decode(const char *text, size_t len, struct buf *ret)
{
	const uint8_t *in = (const uint8_t *)text;
	uint8_t *out = len % 2 == 0 ? buf_extend(ret, len / 2) : NULL;
	uint8_t all = IS_DIGIT;

	if (!out)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t high = hex_digits[in[2 * i]], low = hex_digits[in[2 * i + 1]];
		all &= high & low;
		out[i] = (uint8_t)(high << 4 | (low & 0x0f));
	}
	if (all != IS_DIGIT)
		buf_shorten(ret, ret->len - len / 2);
	return all == IS_DIGIT;
}

void buf_add_hex(struct buf *b, struct bytes data)
{
	static const char alphabet[] = "0123456789abcdef";
	uint8_t *out = buf_extend(b, data.len * 2);

	if (!out)
		return;
	for (size_t i = 0; i < data.len; i++) {
		*out++ = (uint8_t)alphabet[data.data[i] >> 4];
		*out++ = (uint8_t)alphabet[data.data[i] & 15];
	}
}

static void encode_triple(const char *alphabet, uint32_t v, uint8_t out[4])
{
	out[0] = (uint8_t)alphabet[v >> 18];
	out[1] = (uint8_t)alphabet[v >> 12 & 63];
	out[2] = (uint8_t)alphabet[v >> 6 & 63];
	out[3] = (uint8_t)alphabet[v & 63];
}

/* Whole groups of four, the last one filled up with '='. Returns how many these are. */
static size_t encode_to(const char *alphabet, struct bytes data, uint8_t *out)
{
	const uint8_t *in = data.data;
	size_t left = data.len;

	for (; left >= 3; left -= 3, in += 3, out += 4)
		encode_triple(alphabet, (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2], out);
	if (left == 0)
		return 0;
	encode_triple(alphabet, (uint32_t)in[0] << 16 | (left == 2 ? (uint32_t)in[1] << 8 : 0), out);
	memset(out + 1 + left, '=', 3 - left);
	return 3 - left;
}

/* The '=' are taken off again when not wanted. */
static void encode(struct buf *b, struct bytes data, const char *alphabet, bool padded)
{
	uint8_t *out = data.len <= BUF_MAX ? buf_extend(b, (data.len + 2) / 3 * 4) : NULL;

	if (!out) {
		b->failed = true;
		return;
	}
	size_t pad = encode_to(alphabet, data, out);
	if (!padded)
		buf_shorten(b, b->len - pad);
}

void base64url_encode_to(struct bytes data, char *ret)
{
	size_t pad = encode_to(url_alphabet, data, (uint8_t *)ret);

	ret[(data.len + 2) / 3 * 4 - pad] = '\0';
}

void buf_add_base64(struct buf *b, struct bytes data)
{
	encode(b, data, standard_alphabet, true);
}

void buf_add_base64url(struct buf *b, struct bytes data)
{
	encode(b, data, url_alphabet, false);
}
