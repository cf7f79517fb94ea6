#include "base/json.h"

#include "base/json_scan.h"

enum kind { KIND_NULL, KIND_FALSE, KIND_TRUE, KIND_NUMBER, KIND_STRING, KIND_ARRAY, KIND_OBJECT };

/* A value. A document is one block: its values, the root first, the members of its containers, its texts. */
struct json {
	enum kind kind;
	const char *name;                  /* as the member of an object */
	const char *text;                  /* of a string; of a number, as it was written */
	const struct json *const *members; /* side by side, so that the i-th one is found without a walk */
	size_t count;
	struct json *next;                 /* while its container is read */
	size_t size;                       /* of the block; in the root alone */
};

/* Reads what json_scan has let through: what is to come, and where the next of each kind goes. */
struct reader {
	const uint8_t *at, *end;
	struct json *value;
	const struct json **member;
	char *text;
};

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static uint32_t read_unit(struct reader *r)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t c = *r->at++;
		unit = unit << 4 | (c <= '9' ? c - (uint32_t)'0' : (c | 0x20u) - 'a' + 10);
	}
	return unit;
}

/* As UTF-8: never more bytes than the escapes had. */
static void write_character(struct reader *r, uint32_t c)
{
	unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t first[] = { 0x00, 0xc0, 0xe0, 0xf0 };

	*r->text++ = (char)(first[more] | c >> (6 * more));
	while (more-- > 0)
		*r->text++ = (char)(0x80 | (c >> (6 * more) & 0x3f));
}

/* RFC 8259, 7; behind the backslash. */
static void read_escape(struct reader *r)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	uint8_t c = *r->at++;
	const char *control = strchr(from, c);
	uint32_t unit = c == 'u' ? read_unit(r) : 0;

	if (c != 'u') {
		*r->text++ = control ? to[control - from] : (char)c;
		return;
	}
	if (unit >= 0xd800 && unit <= 0xdfff) {
		r->at += 2; /* of the low one's escape */
		unit = 0x10000 + ((unit - 0xd800) << 10) + (read_unit(r) - 0xdc00);
	}
	write_character(r, unit);
}

static const char *read_string(struct reader *r)
{
	const uint8_t *begin = r->at + 1, *end = memchr(begin, '"', (size_t)(r->end - begin));
	char *text = r->text;
	size_t len = (size_t)(end - begin);

	if (!memchr(begin, '\\', len)) {
		memcpy(text, begin, len);
		r->text += len;
		r->at = end + 1;
	} else {
		for (r->at = begin; *r->at != '"';) {
			uint8_t c = *r->at++;
			if (c == '\\')
				read_escape(r);
			else
				*r->text++ = (char)c;
		}
		r->at++;
	}
	*r->text++ = '\0';
	return text;
}

/* The NUL takes the place of what ends a number, or of the end of the document. */
static const char *read_number(struct reader *r)
{
	char *text = r->text;

	while (r->at < r->end && strchr("+-.0123456789Ee", *r->at))
		*r->text++ = (char)*r->at++;
	*r->text++ = '\0';
	return text;
}

static struct json *read_value(struct reader *r);

static void read_members(struct reader *r, struct json *container)
{
	char close = container->kind == KIND_OBJECT ? '}' : ']';
	struct json *first = NULL, **last = &first;

	r->at++;
	for (skip_space(r); *r->at != close; skip_space(r)) {
		const char *name = NULL;

		r->at += *r->at == ',';
		skip_space(r);
		if (container->kind == KIND_OBJECT) {
			name = read_string(r);
			skip_space(r);
			r->at++; /* the colon */
			skip_space(r);
		}
		*last = read_value(r);
		(*last)->name = name;
		last = &(*last)->next;
		container->count++;
	}
	r->at++;
	container->members = r->member;
	for (struct json *member = first; member; member = member->next)
		*r->member++ = member;
}

static enum kind kind_of(uint8_t first)
{
	switch (first) {
	case '{': return KIND_OBJECT;
	case '[': return KIND_ARRAY;
	case '"': return KIND_STRING;
	case 't': return KIND_TRUE;
	case 'f': return KIND_FALSE;
	case 'n': return KIND_NULL;
	default: return KIND_NUMBER;
	}
}

/* Not deeper than json_scan allows. */
static struct json *read_value(struct reader *r)
{
	struct json *value = r->value++;

	*value = (struct json){ .kind = kind_of(*r->at) };
	switch (value->kind) {
	case KIND_OBJECT:
	case KIND_ARRAY: read_members(r, value); break;
	case KIND_STRING: value->text = read_string(r); break;
	case KIND_NUMBER: value->text = read_number(r); break;
	case KIND_TRUE:
	case KIND_NULL: r->at += 4; break;
	case KIND_FALSE: r->at += 5; break;
	}
	return value;
}

static struct json *document_read(struct bytes text, size_t count)
{
	size_t size = count * (sizeof(struct json) + sizeof(struct json *)) + text.len + 1;
	struct json *values = malloc(size);

	if (!values)
		return NULL;
	const struct json **members = (const struct json **)(values + count);
	struct reader r = { text.data, text.data + text.len, values, members, (char *)(members + count) };
	skip_space(&r);
	read_value(&r)->size = size;
	return values;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool names_unique(const struct json *object, struct problem *p)
{
	auto_free const char **names = calloc(object->count, sizeof(*names));

	if (!names)
		return problem_memory(p);
	for (size_t i = 0; i < object->count; i++)
		names[i] = object->members[i]->name;
	qsort(names, object->count, sizeof(*names), compare_names);
	for (size_t i = 1; i < object->count; i++)
		if (str_equal(names[i - 1], names[i]))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8259, 4: the name \"%.64s\" stands twice in one object", names[i]);
	return true;
}

static bool document_unique(const struct json *values, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].kind == KIND_OBJECT && values[i].count > 1 && !names_unique(&values[i], p))
			return false;
	return true;
}

bool json_parse(struct bytes text, struct json **ret, struct problem *p)
{
	size_t count;

	if (!json_scan(text, &count, p))
		return false;
	auto_struct(json) *document = document_read(text, count);
	if (!document)
		return problem_memory(p);
	if (!document_unique(document, count, p))
		return false;
	*ret = steal(document);
	return true;
}

/* A string may be a password of the admin API. */
void json_free(struct json *root)
{
	if (root)
		mem_wipe(root, root->size);
	free(root);
}

bool json_is_object(const struct json *j)
{
	return j && j->kind == KIND_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && j->kind == KIND_ARRAY;
}

bool json_is_string(const struct json *j)
{
	return j && j->kind == KIND_STRING;
}

bool json_is_null(const struct json *j)
{
	return j && j->kind == KIND_NULL;
}

const struct json *json_member(const struct json *j, const char *name)
{
	if (!json_is_object(j))
		return NULL;
	for (size_t i = 0; i < j->count; i++)
		if (str_equal(j->members[i]->name, name))
			return j->members[i];
	return NULL;
}

const char *json_string(const struct json *j)
{
	return json_is_string(j) ? j->text : NULL;
}

const char *json_member_string(const struct json *j, const char *name)
{
	return json_string(json_member(j, name));
}

bool json_bool(const struct json *j, bool *ret)
{
	if (!j || (j->kind != KIND_TRUE && j->kind != KIND_FALSE))
		return false;
	*ret = j->kind == KIND_TRUE;
	return true;
}

/* RFC 8259, 6: between -(2^53)+1 and (2^53)-1 a double is exactly the integer that was written. */
bool json_integer(const struct json *j, int64_t *ret)
{
	const double limit = 9007199254740992.0;
	double value = j && j->kind == KIND_NUMBER ? strtod(j->text, NULL) : limit;

	if (!(value > -limit && value < limit) || value != (double)(int64_t)value)
		return false;
	*ret = (int64_t)value;
	return true;
}

size_t json_length(const struct json *j)
{
	return j ? j->count : 0;
}

const struct json *json_at(const struct json *j, size_t i)
{
	return i < json_length(j) ? j->members[i] : NULL;
}

const char *json_name(const struct json *j)
{
	return j ? j->name : NULL;
}
