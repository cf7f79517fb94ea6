#include "base/json.h"

#include <assert.h>
#include <inttypes.h>

#include <cjson/cJSON.h>

#include "base/clock.h"

/* Scanner: RFC 8259's grammar and our bounds, in one pass and without recursion. cJSON is lenient
 * (any control character is white space, a NUL ends a string, a name may come twice, a number may
 * be "01") and has read past the end of unfinished texts; it sees only what passed here. */

struct scan {
	const uint8_t *begin, *at, *end;
	char open[JSON_DEPTH_MAX]; /* '{' or '[' of each level */
	unsigned depth;
	size_t nodes;
	struct problem *p;
};

enum want { WANT_VALUE, WANT_NAME, WANT_FIRST_VALUE, WANT_FIRST_NAME, WANT_NEXT, WANT_FAILED };

static bool scan_refuse(const struct scan *s, const char *why)
{
	return problem_set(s->p, PROBLEM_MALFORMED, "RFC 8259: %s at byte %zu", why, (size_t)(s->at - s->begin));
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

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *s)
{
	const uint8_t *begin = s->at;

	while (is_digit(scan_peek(s)))
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

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u; -1: not four digits. */
static int32_t scan_unit(struct scan *s)
{
	int32_t unit = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		int value = hex_value(scan_peek(s));
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

static bool scan_string(struct scan *s)
{
	if (!scan_take(s, '"'))
		return scan_refuse(s, "no string");
	while (!scan_take(s, '"')) {
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

	if (++s->nodes > JSON_NODES_MAX) {
		scan_refuse(s, "too many values");
		return WANT_FAILED;
	}
	if (c != '{' && c != '[')
		return scan_scalar(s) ? WANT_NEXT : WANT_FAILED;
	if (s->depth == JSON_DEPTH_MAX) {
		scan_refuse(s, "too many levels");
		return WANT_FAILED;
	}
	s->open[s->depth++] = (char)c;
	s->at++;
	return c == '{' ? WANT_FIRST_NAME : WANT_FIRST_VALUE;
}

static enum want scan_name(struct scan *s)
{
	if (!scan_string(s))
		return WANT_FAILED;
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

/* Document: cJSON's tree, with the members of each container side by side in one array of all
 * values, so that the i-th one is found without a walk. The root is the first element. */

struct json {
	cJSON *item;
	const struct json *members;
	size_t count;
};

static void document_index(struct json *nodes, cJSON *root)
{
	size_t known = 1;

	nodes[0].item = root;
	for (size_t i = 0; i < known; i++) {
		size_t begin = known;
		for (cJSON *child = nodes[i].item->child; child; child = child->next)
			nodes[known++].item = child;
		nodes[i].members = &nodes[begin];
		nodes[i].count = known - begin;
	}
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
		names[i] = object->members[i].item->string;
	qsort(names, object->count, sizeof(*names), compare_names);
	for (size_t i = 1; i < object->count; i++)
		if (str_equal(names[i - 1], names[i]))
			return problem_set(p, PROBLEM_MALFORMED, "RFC 8259, 4: the name \"%.64s\" stands twice in one object", names[i]);
	return true;
}

static bool document_unique(const struct json *nodes, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		if (json_is_object(&nodes[i]) && nodes[i].count > 1 && !names_unique(&nodes[i], p))
			return false;
	return true;
}

bool json_parse(struct bytes text, struct json **ret, struct problem *p)
{
	struct scan s = { .begin = text.data, .at = text.data, .end = text.data + text.len, .p = p };

	if (text.len == 0)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8259: no value: the text is empty");
	if (!scan_document(&s))
		return false;
	auto_struct(json) *nodes = calloc(s.nodes, sizeof(*nodes));
	if (!nodes)
		return problem_memory(p);
	cJSON *root = cJSON_ParseWithLength((const char *)text.data, text.len);
	if (!root)
		return problem_memory(p);
	document_index(nodes, root);
	if (!document_unique(nodes, s.nodes, p))
		return false;
	*ret = steal(nodes);
	return true;
}

static size_t document_size(const struct json *root)
{
	size_t size = 1;

	for (size_t i = 0; i < size; i++)
		size += root[i].count;
	return size;
}

/* A string may be a password of the admin API. */
void json_free(struct json *root)
{
	if (!root)
		return;
	size_t size = root->item ? document_size(root) : 0;
	for (size_t i = 0; i < size; i++)
		if (cJSON_IsString(root[i].item))
			mem_wipe(root[i].item->valuestring, strlen(root[i].item->valuestring));
	cJSON_Delete(root->item);
	free(root);
}

bool json_is_object(const struct json *j)
{
	return j && cJSON_IsObject(j->item);
}

bool json_is_array(const struct json *j)
{
	return j && cJSON_IsArray(j->item);
}

bool json_is_string(const struct json *j)
{
	return j && cJSON_IsString(j->item);
}

const struct json *json_member(const struct json *j, const char *name)
{
	if (!json_is_object(j))
		return NULL;
	for (size_t i = 0; i < j->count; i++)
		if (str_equal(j->members[i].item->string, name))
			return &j->members[i];
	return NULL;
}

const char *json_string(const struct json *j)
{
	return json_is_string(j) ? j->item->valuestring : NULL;
}

const char *json_member_string(const struct json *j, const char *name)
{
	return json_string(json_member(j, name));
}

bool json_bool(const struct json *j, bool *ret)
{
	if (!j || !cJSON_IsBool(j->item))
		return false;
	*ret = cJSON_IsTrue(j->item);
	return true;
}

/* RFC 8259, 6: between -(2^53)+1 and (2^53)-1 a double is exactly the integer that was written. */
bool json_integer(const struct json *j, int64_t *ret)
{
	const double limit = 9007199254740992.0;
	double value = j && cJSON_IsNumber(j->item) ? j->item->valuedouble : limit;

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
	return i < json_length(j) ? &j->members[i] : NULL;
}

const char *json_name(const struct json *j)
{
	return j ? j->item->string : NULL;
}

struct json_writer json_writer(struct buf *out)
{
	return (struct json_writer){ .out = out };
}

/* Bytes of text that can be written as they are. */
static size_t plain_length(const char *text, size_t len)
{
	size_t n = 0, next;

	while (n < len && (uint8_t)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\' &&
	       (next = str_utf8(text + n, len - n)) > 0)
		n += next;
	return n;
}

static void write_special(struct buf *out, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, c) : NULL;

	if (found)
		buf_printf(out, "\\%c", to[found - from]);
	else if (c < 0x20)
		buf_printf(out, "\\u%04x", c);
	else
		buf_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
}

static void write_string(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_add_char(out, '"');
	for (size_t n; len > 0; text += n, len -= n) {
		n = plain_length(text, len);
		buf_add(out, text, n);
		if (n == 0) {
			write_special(out, (uint8_t)*text);
			n = 1;
		}
	}
	buf_add_char(out, '"');
}

/* What comes before a value: the comma, and in an object its name. */
static void write_begin(struct json_writer *w, const char *name)
{
	assert((w->depth > 0 && w->closing[w->depth - 1] == '}') == (name != NULL));
	assert(w->depth > 0 || !w->comma);
	if (w->comma)
		buf_add_char(w->out, ',');
	w->comma = true;
	if (!name)
		return;
	write_string(w->out, name);
	buf_add_char(w->out, ':');
}

static void write_open(struct json_writer *w, const char *name, char opening, char closing)
{
	assert(w->depth < JSON_DEPTH_MAX);
	write_begin(w, name);
	buf_add_char(w->out, opening);
	w->closing[w->depth++] = closing;
	w->comma = false;
}

void json_open(struct json_writer *w, const char *name)
{
	write_open(w, name, '{', '}');
}

void json_open_array(struct json_writer *w, const char *name)
{
	write_open(w, name, '[', ']');
}

void json_close(struct json_writer *w)
{
	assert(w->depth > 0);
	buf_add_char(w->out, w->closing[--w->depth]);
	w->comma = true;
}

void json_put(struct json_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	write_begin(w, name);
	write_string(w->out, text);
}

void json_put_integer(struct json_writer *w, const char *name, int64_t value)
{
	write_begin(w, name);
	buf_printf(w->out, "%" PRId64, value);
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
	write_begin(w, name);
	buf_add_str(w->out, value ? "true" : "false");
}

void json_put_time(struct json_writer *w, const char *name, int64_t t)
{
	char text[CLOCK_RFC3339_SIZE];

	if (t == 0)
		return;
	clock_format(t, text);
	json_put(w, name, text);
}

void json_put_raw(struct json_writer *w, const char *name, struct bytes json)
{
	write_begin(w, name);
	buf_add(w->out, json.data, json.len);
}
