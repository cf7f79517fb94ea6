#include "base/delta.h"

enum { HASH_BITS = 12, NUMBER_BITS = 28 };

/* --- encoding: reference and input in one piece --- */

struct coder {
	const uint8_t *v;
	size_t n;
	uint32_t *seen;       /* by the hash of four bytes, one more than where they were last seen */
	size_t told;          /* up to here the output tells it */
	size_t distance;      /* of the last copy; 0: none yet */
	struct buf *out;
};
struct match {
	size_t len, distance;
};

static size_t hash_at(const struct coder *c, size_t at)
{
	uint32_t four;

	memcpy(&four, c->v + at, sizeof(four));
	return four * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

static void see(struct coder *c, size_t at)
{
	if (at + DELTA_COPY_MIN <= c->n)
		c->seen[hash_at(c, at)] = (uint32_t)at + 1;
}

static struct match match_at(const struct coder *c, size_t at, size_t distance)
{
	size_t len = 0;

	if (distance == 0 || distance > at)
		return (struct match){0};
	while (at + len < c->n && c->v[at + len] == c->v[at - distance + len])
		len++;
	return (struct match){ len, distance };
}

/* What goes on as far back as before is told in fewer bytes. */
static struct match best_match(const struct coder *c, size_t at)
{
	if (at + DELTA_COPY_MIN > c->n)
		return (struct match){0};
	size_t seen = c->seen[hash_at(c, at)];
	struct match same = match_at(c, at, c->distance), other = match_at(c, at, seen > 0 ? at - (seen - 1) : 0);

	return same.len + 1 >= other.len ? same : other;
}

static void add_number(struct buf *out, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_add_char(out, (char)((n & 0x7f) | 0x80));
	buf_add_char(out, (char)n);
}

static void tell_new(struct coder *c, size_t until)
{
	add_number(c->out, until - c->told);
	buf_add(c->out, c->v + c->told, until - c->told);
	c->told = until;
}

static void tell_copy(struct coder *c, struct match m)
{
	add_number(c->out, m.len - DELTA_COPY_MIN);
	add_number(c->out, m.distance == c->distance ? 0 : m.distance);
	c->distance = m.distance;
	c->told += m.len;
}

static void encode(struct coder *c)
{
	size_t at = c->told;

	for (size_t i = 0; i < at; i++)
		see(c, i);
	while (at < c->n) {
		struct match m = best_match(c, at);

		if (m.len < DELTA_COPY_MIN) {
			see(c, at++);
			continue;
		}
		tell_new(c, at);
		tell_copy(c, m);
		for (; at < c->told; at++)
			see(c, at);
	}
	if (c->told < c->n)
		tell_new(c, c->n);
}

void delta_encode(struct bytes reference, struct bytes in, struct buf *ret)
{
	auto_free uint32_t *seen = calloc((size_t)1 << HASH_BITS, sizeof(*seen));
	auto_value(buf) both = {0};

	buf_add(&both, reference.data, reference.len);
	buf_add(&both, in.data, in.len);
	if (!seen || both.failed) {
		ret->failed = true;
		return;
	}
	encode(&(struct coder){ .v = both.data, .n = both.len, .seen = seen, .told = reference.len, .out = ret });
}

/* --- decoding --- */

static bool take_number(struct bytes *in, size_t *ret)
{
	size_t n = 0;

	for (unsigned shift = 0; shift < NUMBER_BITS && in->len > 0; shift += 7) {
		uint8_t byte = *in->data;

		*in = BYTES(in->data + 1, in->len - 1);
		n |= (size_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/* The output so far, which copies reach back into, beyond its begin into the reference. */
struct decoder {
	struct bytes reference, in;
	struct buf *out;
	size_t begin, max, distance;
};

static size_t told(const struct decoder *d)
{
	return d->out->len - d->begin;
}

static bool take_new(struct decoder *d)
{
	size_t n;

	if (!take_number(&d->in, &n) || n > d->in.len || n > d->max - told(d))
		return false;
	buf_add(d->out, d->in.data, n);
	d->in = BYTES(d->in.data + n, d->in.len - n);
	return !d->out->failed;
}

/* Source and target may overlap: byte by byte what was just written is read again. */
static bool copy(struct decoder *d, size_t len)
{
	size_t done = told(d), at = d->reference.len + done - d->distance;
	uint8_t *to = buf_extend(d->out, len);

	if (!to)
		return false;
	const uint8_t *begin = to - done;
	for (size_t i = 0; i < len; i++, at++)
		to[i] = at < d->reference.len ? d->reference.data[at] : begin[at - d->reference.len];
	return true;
}

static bool take_copy(struct decoder *d)
{
	size_t len, distance;

	if (!take_number(&d->in, &len) || !take_number(&d->in, &distance))
		return false;
	len += DELTA_COPY_MIN;
	if (distance > 0)
		d->distance = distance;
	return d->distance > 0 && d->distance <= d->reference.len + told(d) && len <= d->max - told(d) && copy(d, len);
}

bool delta_decode(struct bytes reference, struct bytes delta, size_t max, struct buf *ret)
{
	struct decoder d = { .reference = reference, .in = delta, .out = ret, .begin = ret->len, .max = max };

	while (d.in.len > 0)
		if (!take_new(&d) || (d.in.len > 0 && !take_copy(&d)))
			return false;
	return !ret->failed;
}
