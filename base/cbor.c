#include "base/cbor.h"

#include <assert.h>

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

/* libcbor tells one head at a time, and a string with its head. Its decoder of whole items takes memory for as
 * many items as the input claims to have, so that is done here. */

struct reader {
	struct bytes rest;
	struct cbor_run *run;
	size_t used;
	struct problem *p;
};

/* --- one head */

struct head {
	bool good;
	struct cbor item;
};

static void is_integer(void *to, int64_t n)
{
	*(struct head *)to = (struct head){ true, { .kind = CBOR_INTEGER, .integer = n, .span = 1 } };
}

static void is_uint8(void *to, uint8_t n) { is_integer(to, n); }
static void is_uint16(void *to, uint16_t n) { is_integer(to, n); }
static void is_uint32(void *to, uint32_t n) { is_integer(to, n); }
static void is_negint8(void *to, uint8_t n) { is_integer(to, -1 - (int64_t)n); }
static void is_negint16(void *to, uint16_t n) { is_integer(to, -1 - (int64_t)n); }
static void is_negint32(void *to, uint32_t n) { is_integer(to, -1 - (int64_t)n); }

static void is_uint64(void *to, uint64_t n)
{
	if (n <= INT64_MAX)
		is_integer(to, (int64_t)n);
}

static void is_negint64(void *to, uint64_t n)
{
	if (n <= INT64_MAX)
		is_integer(to, -1 - (int64_t)n);
}

static void is_string(void *to, enum cbor_kind kind, cbor_data data, size_t len)
{
	*(struct head *)to = (struct head){ true, { .kind = kind, .bytes = BYTES(data, len), .span = 1 } };
}

static void is_bytes(void *to, cbor_data data, size_t len) { is_string(to, CBOR_BYTES, data, len); }
static void is_text(void *to, cbor_data data, size_t len) { is_string(to, CBOR_TEXT, data, len); }

static void is_container(void *to, enum cbor_kind kind, size_t count)
{
	*(struct head *)to = (struct head){ true, { .kind = kind, .count = count, .span = 1 } };
}

static void is_array(void *to, size_t count) { is_container(to, CBOR_ARRAY, count); }
static void is_map(void *to, size_t count) { is_container(to, CBOR_MAP, count); }

static void is_simple(void *to)
{
	*(struct head *)to = (struct head){ true, { .kind = CBOR_SIMPLE, .span = 1 } };
}

static void is_boolean(void *to, bool value)
{
	(void)value;
	is_simple(to);
}

static void is_refused(void *to) { (void)to; }
static void is_refused_float(void *to, float n) { (void)to, (void)n; }
static void is_refused_double(void *to, double n) { (void)to, (void)n; }
static void is_refused_tag(void *to, uint64_t n) { (void)to, (void)n; }

static const struct cbor_callbacks callbacks = {
	.uint8 = is_uint8, .uint16 = is_uint16, .uint32 = is_uint32, .uint64 = is_uint64,
	.negint8 = is_negint8, .negint16 = is_negint16, .negint32 = is_negint32, .negint64 = is_negint64,
	.byte_string = is_bytes, .byte_string_start = is_refused, .string = is_text, .string_start = is_refused,
	.array_start = is_array, .indef_array_start = is_refused, .map_start = is_map, .indef_map_start = is_refused,
	.tag = is_refused_tag, .float2 = is_refused_float, .float4 = is_refused_float, .float8 = is_refused_double,
	.undefined = is_refused, .null = is_simple, .boolean = is_boolean, .indef_break = is_refused,
};

static bool refuse(struct reader *r, const char *why)
{
	return problem_set(r->p, PROBLEM_MALFORMED, "RFC 8949: %s", why);
}

/* RFC 8949, 3.1: text is UTF-8. */
static bool is_utf8(struct bytes text)
{
	while (text.len > 0) {
		size_t n = str_utf8(text.data, text.len);
		if (n == 0)
			return false;
		text = BYTES(text.data + n, text.len - n);
	}
	return true;
}

static bool take_head(struct reader *r, struct cbor **ret)
{
	struct head head = {0};

	if (r->used == CBOR_ITEMS_MAX)
		return problem_set(r->p, PROBLEM_TOO_LARGE, "RFC 8949: more than %d items", CBOR_ITEMS_MAX);
	struct cbor_decoder_result result = cbor_stream_decode(r->rest.data, r->rest.len, &callbacks, &head);
	if (result.status == CBOR_DECODER_NEDATA)
		return refuse(r, "the input ends before the item does");
	if (result.status != CBOR_DECODER_FINISHED || !head.good)
		return refuse(r, "an item of indefinite length, a tag, a floating point number, an integer over 63 "
		                 "bits or a reserved value, none of which is read here");
	if (head.item.kind == CBOR_TEXT && !is_utf8(head.item.bytes))
		return refuse(r, "a text string that is not UTF-8 (3.1)");
	assert(result.read > 0 && result.read <= r->rest.len);
	r->rest = BYTES(r->rest.data + result.read, r->rest.len - result.read);
	r->run->item[r->used] = head.item;
	*ret = &r->run->item[r->used++];
	return true;
}

/* --- what is within it */

static bool key_equal(const struct cbor *a, const struct cbor *b)
{
	return a->kind == b->kind && a->integer == b->integer && bytes_equal(a->bytes, b->bytes);
}

/* RFC 8949, 5.6: a map that says a key twice is not valid. */
static bool check_key(struct reader *r, const struct cbor *map, const struct cbor *key)
{
	const struct cbor *other = map + 1;

	if (key->kind != CBOR_TEXT && key->kind != CBOR_INTEGER)
		return refuse(r, "a key that is neither text nor an integer");
	for (; other != key; other = cbor_after(cbor_after(other)))
		if (key_equal(other, key))
			return refuse(r, "a key twice in one map (5.6)");
	return true;
}

static bool take_item(struct reader *r, unsigned depth, struct cbor **ret);

static bool take_within(struct reader *r, struct cbor *container, unsigned depth)
{
	bool map = container->kind == CBOR_MAP;
	struct cbor *item = NULL;

	if (depth == CBOR_DEPTH_MAX)
		return problem_set(r->p, PROBLEM_TOO_LARGE, "RFC 8949: more than %d arrays and maps within each other",
		                   CBOR_DEPTH_MAX);
	for (size_t i = 0; i < container->count; i++) {
		if (map && (!take_item(r, depth + 1, &item) || !check_key(r, container, item)))
			return false;
		if (!take_item(r, depth + 1, &item))
			return false;
	}
	container->span = (size_t)(&r->run->item[r->used] - container);
	return true;
}

static bool take_item(struct reader *r, unsigned depth, struct cbor **ret)
{
	if (!take_head(r, ret))
		return false;
	bool container = (*ret)->kind == CBOR_ARRAY || (*ret)->kind == CBOR_MAP;
	return !container || take_within(r, *ret, depth);
}

bool cbor_take(struct bytes *in, struct cbor_run *ret, struct problem *p)
{
	struct reader r = { *in, ret, 0, p };
	struct cbor *item = NULL;

	if (in->len > CBOR_SIZE_MAX)
		return problem_set(p, PROBLEM_TOO_LARGE, "RFC 8949: more than %d bytes", CBOR_SIZE_MAX);
	if (!take_item(&r, 0, &item))
		return false;
	*in = r.rest;
	return true;
}

bool cbor_read(struct bytes in, struct cbor_run *ret, struct problem *p)
{
	if (!cbor_take(&in, ret, p))
		return false;
	return in.len == 0 || problem_set(p, PROBLEM_MALFORMED, "RFC 8949: bytes after the item");
}

const struct cbor *cbor_first(const struct cbor *container)
{
	assert(container->count > 0);
	return container + 1;
}

const struct cbor *cbor_after(const struct cbor *item)
{
	return item + item->span;
}

static const struct cbor *find(const struct cbor *map, const struct cbor *key, enum cbor_kind kind)
{
	const struct cbor *at = map + 1;

	assert(map->kind == CBOR_MAP);
	for (size_t i = 0; i < map->count; i++, at = cbor_after(cbor_after(at)))
		if (key_equal(at, key))
			return cbor_after(at)->kind == kind ? cbor_after(at) : NULL;
	return NULL;
}

const struct cbor *cbor_of(const struct cbor *map, const char *key, enum cbor_kind kind)
{
	return find(map, &(struct cbor){ .kind = CBOR_TEXT, .bytes = BYTES_STR(key) }, kind);
}

const struct cbor *cbor_of_number(const struct cbor *map, int64_t key, enum cbor_kind kind)
{
	return find(map, &(struct cbor){ .kind = CBOR_INTEGER, .integer = key }, kind);
}
