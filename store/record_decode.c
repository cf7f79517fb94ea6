/* Decoding walks the bytes twice: first to check and to measure, then to fill one block. */
#include "store/record.h"

#include <assert.h>

#include "base/clock.h"
#include "store/key.h"

enum { RECORD_ALIGN = sizeof(int64_t) };

/* The record's one block. base NULL: only measure. */
struct arena {
	uint8_t *base;
	size_t used;
};

static void *arena_take(struct arena *a, size_t size, size_t align)
{
	a->used = (a->used + align - 1) / align * align;
	void *at = a->base ? a->base + a->used : NULL;
	a->used += size;
	return at;
}

static const char *arena_text(struct arena *a, struct bytes in)
{
	char *text = arena_take(a, in.len + 1, 1);

	if (text) {
		memcpy(text, in.data, in.len);
		text[in.len] = '\0';
	}
	return text;
}

static bool take_length(struct bytes *in, size_t *ret)
{
	size_t n = 0;

	for (unsigned shift = 0; shift < 28 && in->len > 0; shift += 7) {
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

/* A length and as many bytes. */
static bool take_run(struct bytes *in, struct bytes *ret)
{
	size_t n;

	if (!take_length(in, &n) || n > in->len)
		return false;
	*ret = BYTES(in->data, n);
	*in = BYTES(in->data + n, in->len - n);
	return true;
}

static bool is_text(struct bytes in)
{
	return in.len == 0 || !memchr(in.data, '\0', in.len);
}

static int64_t unfold(uint64_t v)
{
	return (int64_t)(v & 1 ? ~(v >> 1) : v >> 1);
}

static bool read_integer(struct bytes in, int64_t *ret)
{
	uint64_t v = 0;

	if (in.len > sizeof(v))
		return false;
	for (size_t i = 0; i < in.len; i++)
		v |= (uint64_t)in.data[i] << (8 * i);
	*ret = unfold(v);
	return true;
}

static bool read_fields(const struct record_schema *schema, struct bytes in, void *out, struct arena *a);

static bool read_list(const struct record_schema *sub, struct bytes in, struct record_list *out, struct arena *a)
{
	struct bytes rest = in, item;
	size_t n = 0;

	while (rest.len > 0) {
		if (!take_run(&rest, &item))
			return false;
		n++;
	}
	char *v = arena_take(a, n * sub->size, RECORD_ALIGN);
	for (size_t i = 0; i < n && take_run(&in, &item); i++)
		if (!read_fields(sub, item, v ? v + i * sub->size : NULL, a))
			return false;
	if (out)
		*out = (struct record_list){ v, n };
	return true;
}

static bool read_texts(struct bytes in, struct record_texts *out, struct arena *a)
{
	struct bytes rest = in, item;
	size_t n = 0;

	while (rest.len > 0) {
		if (!take_run(&rest, &item) || !is_text(item))
			return false;
		n++;
	}
	const char **v = arena_take(a, n * sizeof(*v), RECORD_ALIGN);
	for (size_t i = 0; i < n && take_run(&in, &item); i++) {
		const char *text = arena_text(a, item);
		if (v)
			v[i] = text;
	}
	if (out)
		*out = (struct record_texts){ v, n };
	return true;
}

static bool read_number(const struct record_field *field, struct bytes in, void *out)
{
	int64_t v;

	if (!read_integer(in, &v))
		return false;
	if (field->type == RECORD_ENUM && (v < 0 || v > field->last))
		return false;
	if (field->type == RECORD_BOOL && (v < 0 || v > 1))
		return false;
	if (field->type == RECORD_TIME && !clock_has(v))
		return false;
	if (!out)
		return true;
	if (field->type == RECORD_BOOL)
		*(bool *)out = v == 1;
	else if (field->type == RECORD_ENUM)
		*(int *)out = (int)v;
	else
		*(int64_t *)out = v;
	return true;
}

static bool read_bytes(struct bytes in, struct bytes *out, struct arena *a)
{
	void *data = arena_take(a, in.len, 1);

	if (data && in.len > 0)
		memcpy(data, in.data, in.len);
	if (out)
		*out = BYTES(in.len > 0 ? data : NULL, in.len);
	return true;
}

static bool read_text(struct bytes in, const char **out, struct arena *a)
{
	if (!is_text(in))
		return false;
	const char *text = arena_text(a, in);
	if (out)
		*out = text;
	return true;
}

/* Raw, or the text of what is none of random_id's. */
static bool read_id(struct bytes in, char *out)
{
	bool is_raw = in.len == KEY_ID_SIZE;

	if (!is_raw && (!is_text(in) || in.len >= RANDOM_ID_SIZE))
		return false;
	if (out && is_raw)
		key_id_text(in.data, out);
	else if (out && in.len > 0)
		memcpy(out, in.data, in.len);
	return true;
}

static bool read_value(const struct record_field *field, struct bytes in, void *out, struct arena *a)
{
	switch (field->type) {
	case RECORD_TEXT:
		return read_text(in, out, a);
	case RECORD_ID:
		return read_id(in, out);
	case RECORD_INTEGER:
	case RECORD_TIME:
	case RECORD_ENUM:
	case RECORD_BOOL:
		return read_number(field, in, out);
	case RECORD_BYTES:
		return read_bytes(in, out, a);
	case RECORD_LIST:
		return read_list(field->sub, in, out, a);
	case RECORD_TEXTS:
		return read_texts(in, out, a);
	}
	assert(false);
	return false;
}

/* Goes on to the field of that tag, past those that the bytes do not have. false: one of them is always there. */
static bool skip_to(const struct record_field **field, const struct record_field *end, unsigned tag)
{
	for (; *field < end && (*field)->tag < tag; (*field)++)
		if ((*field)->always)
			return false;
	return true;
}

/* Tags rise, in the table as in the bytes: no field comes twice, so both walks see the same. */
static bool read_fields(const struct record_schema *schema, struct bytes in, void *out, struct arena *a)
{
	const struct record_field *field = schema->fields, *end = field + schema->field_count;
	uint8_t last = 0;

	while (in.len > 0) {
		uint8_t tag = *in.data;
		struct bytes value;

		in = BYTES(in.data + 1, in.len - 1);
		if (tag <= last || !take_run(&in, &value) || !skip_to(&field, end, tag))
			return false;
		last = tag;
		if (field == end || field->tag != tag)
			continue;
		if (!read_value(field, value, out ? (char *)out + field->offset : NULL, a))
			return false;
		field++;
	}
	return skip_to(&field, end, UINT8_MAX + 1);
}

bool record_decode(const struct record_schema *schema, struct bytes in, void *ret, struct problem *p)
{
	struct arena a = {0};

	if (in.len > RECORD_MAX || !read_fields(schema, in, NULL, &a))
		return problem_internal(p, "the store holds a %s that cannot be read", schema->name);
	a.base = calloc(1, a.used + 1);
	if (!a.base)
		return problem_memory(p);
	a.used = 0;
	memset(ret, 0, schema->size);
	bool ok = read_fields(schema, in, ret, &a);
	assert(ok);
	*(void **)ret = a.base;
	return true;
}
