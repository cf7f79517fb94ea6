#include "ca/der.h"

#include <assert.h>

#include "base/clock.h"

static const int64_t utc_time_begin = -631152000, utc_time_end = 2524608000; /* 1950 to 2049 */

struct der der_writer(struct buf *out)
{
	return (struct der){ .out = out };
}

/* X.690, 10.1: the definite form, in the fewest octets. */
enum { LENGTH_SIZE_MAX = 1 + sizeof(size_t) };
static size_t length_encode(size_t len, uint8_t ret[LENGTH_SIZE_MAX])
{
	size_t count = 0;

	if (len < 0x80) {
		ret[0] = (uint8_t)len;
		return 1;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		count++;
	ret[0] = (uint8_t)(0x80 | count);
	for (size_t i = 0; i < count; i++)
		ret[1 + i] = (uint8_t)(len >> (8 * (count - 1 - i)));
	return 1 + count;
}

/* One octet is kept free for the length: most values are shorter than 128 octets, and the few
 * that are not are moved when they are closed. */
void der_open(struct der *d, uint8_t tag)
{
	const uint8_t head[2] = { tag, 0 };

	assert(d->depth < DER_DEPTH_MAX);
	buf_add(d->out, head, sizeof(head));
	d->start[d->depth++] = d->out->len;
}

void der_close(struct der *d)
{
	uint8_t length[LENGTH_SIZE_MAX];

	assert(d->depth > 0);
	size_t start = d->start[--d->depth];
	if (d->out->failed)
		return;
	size_t content = d->out->len - start, size = length_encode(content, length);
	if (size > 1 && !buf_extend(d->out, size - 1))
		return;
	uint8_t *at = d->out->data + start - 1;
	if (size > 1)
		memmove(at + size, at + 1, content);
	memcpy(at, length, size);
}

void der_put(struct der *d, uint8_t tag, struct bytes content)
{
	uint8_t length[LENGTH_SIZE_MAX];
	size_t size = length_encode(content.len, length);

	buf_add(d->out, &tag, 1);
	buf_add(d->out, length, size);
	buf_add(d->out, content.data, content.len);
}

void der_put_buf(struct der *d, uint8_t tag, const struct buf *content)
{
	if (content->failed)
		d->out->failed = true;
	der_put(d, tag, buf_bytes(content));
}

void der_put_raw(struct der *d, struct bytes der)
{
	buf_add(d->out, der.data, der.len);
}

/* X.690, 8.3.2: never nine leading bits alike; a zero octet keeps a high bit from meaning minus. */
void der_put_integer(struct der *d, struct bytes magnitude)
{
	while (magnitude.len > 0 && magnitude.data[0] == 0)
		magnitude = BYTES(magnitude.data + 1, magnitude.len - 1);
	der_open(d, TLV_INTEGER);
	if (magnitude.len == 0 || magnitude.data[0] >= 0x80)
		buf_add_char(d->out, 0);
	buf_add(d->out, magnitude.data, magnitude.len);
	der_close(d);
}

/* An arc in base 128, the last digit first; a UUID (X.667) takes 19, and OIDs of the configuration
 * may be longer still. */
enum { ARC_DIGITS_MAX = 64 };
struct arc {
	uint8_t digit[ARC_DIGITS_MAX];
	size_t count;
};

static void arc_add(struct arc *arc, unsigned factor, unsigned summand)
{
	unsigned carry = summand;

	for (size_t i = 0; i < arc->count || carry > 0; i++) {
		assert(i < ARC_DIGITS_MAX);
		carry += i < arc->count ? arc->digit[i] * factor : 0;
		arc->digit[i] = carry & 0x7f;
		carry >>= 7;
		arc->count = i < arc->count ? arc->count : i + 1;
	}
}

/* Decimal, without leading zeros; the text after it is returned. */
static const char *arc_parse(const char *text, struct arc *ret)
{
	const char *at = text;

	for (ret->count = 0; *at >= '0' && *at <= '9'; at++)
		arc_add(ret, 10, (unsigned)(*at - '0'));
	assert(at > text && (*text != '0' || at == text + 1));
	return at;
}

static void arc_write(const struct arc *arc, struct buf *ret)
{
	if (arc->count == 0)
		buf_add_char(ret, 0);
	for (size_t i = arc->count; i-- > 0;)
		buf_add_char(ret, (char)(arc->digit[i] | (i > 0 ? 0x80 : 0)));
}

/* X.690, 8.19.4: the first two arcs make one number, 40 times the first and the second. */
void der_put_oid(struct der *d, const char *dotted)
{
	unsigned first = (unsigned)(dotted[0] - '0');
	struct arc arc;

	assert(first <= 2 && dotted[1] == '.');
	const char *at = arc_parse(dotted + 2, &arc);
	assert(first == 2 || arc.count == 0 || (arc.count == 1 && arc.digit[0] < 40));
	arc_add(&arc, 1, 40 * first);
	der_open(d, TLV_OID);
	arc_write(&arc, d->out);
	while (*at == '.') {
		at = arc_parse(at + 1, &arc);
		arc_write(&arc, d->out);
	}
	assert(*at == '\0');
	der_close(d);
}

void der_put_bool(struct der *d, bool value)
{
	const uint8_t content = value ? 0xff : 0x00;

	der_put(d, TLV_BOOLEAN, BYTES(&content, 1));
}

/* RFC 5280, 4.1.2.5: UTC, with seconds, without fractions: RFC 3339 without its marks, and a
 * UTCTime has no century either. */
static void put_time(struct der *d, int64_t t, bool utc)
{
	char text[CLOCK_RFC3339_SIZE];

	assert(t >= utc_time_begin);
	clock_format(t, text);
	der_open(d, utc ? TLV_UTC_TIME : TLV_GENERALIZED_TIME);
	for (const char *at = utc ? text + 2 : text; *at; at++)
		if (!strchr("-:T", *at))
			buf_add_char(d->out, *at);
	der_close(d);
}

void der_put_time(struct der *d, int64_t t)
{
	put_time(d, t, t < utc_time_end);
}

void der_put_generalized_time(struct der *d, int64_t t)
{
	put_time(d, t, false);
}

/* Bit 0 of the type is the highest bit of the first octet (X.690, 8.6.2.1). */
void der_put_bits(struct der *d, unsigned bits, unsigned count)
{
	uint8_t content[1 + sizeof(bits)] = { 0 };
	size_t used = 0;

	assert(count <= 8 * sizeof(bits) && (count == 8 * sizeof(bits) || bits >> count == 0));
	for (unsigned i = 0; i < count; i++)
		if (bits & 1u << i) {
			content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
			used = i + 1;
		}
	content[0] = (uint8_t)((8 - used % 8) % 8);
	der_put(d, TLV_BIT_STRING, BYTES(content, 1 + (used + 7) / 8));
}
