#include "store/record.h"

#include <assert.h>

#include "base/clock.h"
#include "store/key.h"

static void add_length(struct buf *out, size_t n)
{
	for (; n > 0x7f; n >>= 7)
		buf_add_char(out, (char)(0x80 | (n & 0x7f)));
	buf_add_char(out, (char)n);
}

static size_t length_size(size_t n)
{
	size_t size = 1;

	for (; n > 0x7f; n >>= 7)
		size++;
	return size;
}

static uint64_t fold(int64_t v)
{
	return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1;
}

static size_t integer_size(int64_t v)
{
	size_t size = 0;

	for (uint64_t folded = fold(v); folded > 0; folded >>= 8)
		size++;
	return size;
}

static void add_integer(struct buf *out, int64_t v)
{
	for (uint64_t folded = fold(v); folded > 0; folded >>= 8)
		buf_add_char(out, (char)(folded & 0xff));
}

static size_t fields_size(const struct record_schema *schema, const void *record);

static const void *element(const struct record_list *list, const struct record_schema *sub, size_t i)
{
	return (const char *)list->v + i * sub->size;
}

static size_t list_size(const struct record_list *list, const struct record_schema *sub)
{
	size_t size = 0;

	for (size_t i = 0; i < list->n; i++) {
		size_t n = fields_size(sub, element(list, sub, i));
		size += length_size(n) + n;
	}
	return size;
}

static size_t texts_size(const struct record_texts *texts)
{
	size_t size = 0;

	for (size_t i = 0; i < texts->n; i++) {
		size_t n = strlen(texts->v[i]);
		size += length_size(n) + n;
	}
	return size;
}

/* What a field holds, whatever its type: the integers of all sizes are brought to one. */
static int64_t number(const struct record_field *field, const void *at)
{
	if (field->type == RECORD_BOOL)
		return *(const bool *)at;
	if (field->type == RECORD_ENUM)
		return *(const int *)at;
	return *(const int64_t *)at;
}

/* An id as random_id makes them is its raw bytes. */
static size_t id_size(const char *id)
{
	uint8_t raw[KEY_ID_SIZE];
	size_t len = strnlen(id, RANDOM_ID_SIZE);

	assert(len < RANDOM_ID_SIZE && len != KEY_ID_SIZE);
	return key_id_raw(id, raw) ? sizeof(raw) : len;
}

static void add_id(struct buf *out, const char *id, size_t size)
{
	uint8_t raw[KEY_ID_SIZE];
	bool is_raw = size == sizeof(raw) && key_id_raw(id, raw);

	buf_add(out, is_raw ? (const char *)raw : id, size);
}

/* The size of the value; false: it is not written. */
static bool value_size(const struct record_field *field, const void *at, size_t *ret)
{
	switch (field->type) {
	case RECORD_TEXT: {
		const char *text = *(const char *const *)at;
		assert(text || !field->always);
		*ret = text ? strlen(text) : 0;
		return text != NULL;
	}
	case RECORD_ID:
		*ret = id_size(at);
		return *ret > 0;
	case RECORD_INTEGER:
	case RECORD_TIME:
	case RECORD_ENUM:
	case RECORD_BOOL:
		*ret = integer_size(number(field, at));
		return *ret > 0;
	case RECORD_BYTES:
		*ret = ((const struct bytes *)at)->len;
		return *ret > 0;
	case RECORD_LIST:
		*ret = list_size(at, field->sub);
		return ((const struct record_list *)at)->n > 0;
	case RECORD_TEXTS:
		*ret = texts_size(at);
		return ((const struct record_texts *)at)->n > 0;
	}
	assert(false);
	return false;
}

static size_t fields_size(const struct record_schema *schema, const void *record)
{
	size_t size = 0, n;

	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (value_size(field, (const char *)record + field->offset, &n))
			size += 1 + length_size(n) + n;
	}
	return size;
}

static void add_fields(struct buf *out, const struct record_schema *schema, const void *record);

static void add_list(struct buf *out, const struct record_list *list, const struct record_schema *sub)
{
	for (size_t i = 0; i < list->n; i++) {
		add_length(out, fields_size(sub, element(list, sub, i)));
		add_fields(out, sub, element(list, sub, i));
	}
}

static void add_texts(struct buf *out, const struct record_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		size_t n = strlen(texts->v[i]);
		add_length(out, n);
		buf_add(out, texts->v[i], n);
	}
}

static void add_value(struct buf *out, const struct record_field *field, const void *at, size_t size)
{
	switch (field->type) {
	case RECORD_TEXT:
		buf_add(out, *(const char *const *)at, size);
		break;
	case RECORD_ID:
		add_id(out, at, size);
		break;
	case RECORD_INTEGER:
	case RECORD_TIME:
	case RECORD_ENUM:
	case RECORD_BOOL:
		add_integer(out, number(field, at));
		break;
	case RECORD_BYTES:
		buf_add(out, ((const struct bytes *)at)->data, size);
		break;
	case RECORD_LIST:
		add_list(out, at, field->sub);
		break;
	case RECORD_TEXTS:
		add_texts(out, at);
		break;
	}
}

static void add_fields(struct buf *out, const struct record_schema *schema, const void *record)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const void *at = (const char *)record + field->offset;
		size_t size;

		if (!value_size(field, at, &size))
			continue;
		buf_add_char(out, (char)field->tag);
		add_length(out, size);
		add_value(out, field, at, size);
	}
}

/* What could not be read again is not written. */
static bool times_fit(const struct record_schema *schema, const void *record)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const void *at = (const char *)record + field->offset;

		if (field->type == RECORD_TIME && !clock_has(*(const int64_t *)at))
			return false;
		for (size_t k = 0; field->type == RECORD_LIST && k < ((const struct record_list *)at)->n; k++)
			if (!times_fit(field->sub, element(at, field->sub, k)))
				return false;
	}
	return true;
}

bool record_encode(const struct record_schema *schema, const void *record, struct buf *ret, struct problem *p)
{
	size_t size = fields_size(schema, record);

	if (size > RECORD_MAX)
		return problem_set(p, PROBLEM_TOO_LARGE, "the %s is too large to be stored", schema->name);
	if (!times_fit(schema, record))
		return problem_internal(p, "the %s has a time that no clock shows", schema->name);
	add_fields(ret, schema, record);
	return buf_check(ret, p);
}

bool record_texts_has(const struct record_texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->n; i++)
		if (str_equal(texts->v[i], text))
			return true;
	return false;
}

struct record_texts record_texts_of(const struct strings *list)
{
	return (struct record_texts){ (const char *const *)list->v, list->n };
}

void record_free(void *record)
{
	free(*(void **)record);
	*(void **)record = NULL;
}
