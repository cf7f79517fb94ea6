#include "admin/api_body.h"

#include <stdio.h>

#include "base/clock.h"

enum { PATH_SIZE = 64 };

static void check_object(const struct api_object *object, const struct json *j, const char *path,
                         struct problem *parts);

/* A problem's part is marked MALFORMED whatever is wrong: RFC 9110, 15.5.1. */
#define wrong(path, value, ...) problem_add_field(parts, PROBLEM_MALFORMED, path, value, __VA_ARGS__)

static void path_of(const char *parent, const char *name, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "%s%s%s", parent, *parent ? "." : "", name);
}

bool api_text_has_control(const char *text, const char *except)
{
	for (const uint8_t *s = (const uint8_t *)text; *s; s++)
		if ((*s < 0x20 && !strchr(except, *s)) || *s == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
			return true;
	return false;
}

size_t api_text_length(const char *text)
{
	size_t n = 0;

	for (const char *s = text; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static bool is_choice(const char *const *choices, const char *text)
{
	for (size_t i = 0; choices[i]; i++)
		if (str_equal(choices[i], text))
			return true;
	return false;
}

static void list_choices(const char *const *choices, struct buf *ret)
{
	for (size_t i = 0; choices[i]; i++)
		buf_printf(ret, "%s`%s`", i ? ", " : "", choices[i]);
}

static bool has_lines(const struct api_field *field)
{
	return field->type == API_LINES || field->type == API_SECRET_LINES;
}

static bool is_secret(const struct api_field *field)
{
	return field->type == API_SECRET || field->type == API_SECRET_LINES;
}

int64_t api_field_max(const struct api_field *field)
{
	if (field->max)
		return field->max;
	if (field->type == API_TEXTS || field->type == API_OBJECTS)
		return API_LIST_MAX;
	return has_lines(field) ? API_LINES_MAX : API_TEXT_MAX;
}

static void check_text(const struct api_field *field, const struct json *j, const char *path, struct problem *parts)
{
	const char *text = json_string(j), *shown = is_secret(field) ? NULL : text;
	int64_t t, length = (int64_t)api_text_length(text ?: ""), max = api_field_max(field);
	auto_value(buf) choices = {0};

	if (!text)
		wrong(path, NULL, "expected a text");
	else if (length > max || length < field->min)
		wrong(path, shown, "expected %lld to %lld characters, got %lld", (long long)field->min,
		      (long long)max, (long long)length);
	else if (api_text_has_control(text, has_lines(field) ? "\r\n\t" : ""))
		wrong(path, shown, "has a control character");
	else if (field->type == API_TIME && !clock_parse(text, &t))
		wrong(path, shown, "expected a time as in RFC 3339");
	else if (field->choices && !is_choice(field->choices, text)) {
		list_choices(field->choices, &choices);
		wrong(path, shown, "expected one of %s", buf_text(&choices));
	}
}

static void check_integer(const struct api_field *field, const struct json *j, const char *path, struct problem *parts)
{
	int64_t value;

	if (!json_integer(j, &value))
		wrong(path, NULL, "expected a whole number");
	else if (value < field->min || value > field->max)
		wrong(path, NULL, "expected %lld to %lld, got %lld", (long long)field->min, (long long)field->max,
		      (long long)value);
}

static void check_list(const struct api_field *field, const struct json *j, const char *path, struct problem *parts)
{
	size_t max = (size_t)api_field_max(field);
	struct api_field entry = { .name = field->name, .type = API_TEXT, .min = 1, .choices = field->choices };

	if (!json_is_array(j)) {
		wrong(path, NULL, "expected a list");
		return;
	}
	if (json_length(j) > max) {
		wrong(path, NULL, "expected at most %zu entries, got %zu", max, json_length(j));
		return;
	}
	if ((int64_t)json_length(j) < field->min)
		wrong(path, NULL, "expected at least %lld entries, got %zu", (long long)field->min, json_length(j));
	for (size_t i = 0; i < json_length(j); i++) {
		char at[PATH_SIZE + 24];
		snprintf(at, sizeof(at), "%s[%zu]", path, i);
		if (field->type == API_OBJECTS)
			check_object(field->object, json_at(j, i), at, parts);
		else
			check_text(&entry, json_at(j, i), at, parts);
	}
}

static void check_bool(const struct json *j, const char *path, struct problem *parts)
{
	bool value;

	if (!json_bool(j, &value))
		wrong(path, NULL, "expected true or false");
}

static void check_field(const struct api_field *field, const struct json *j, const char *path, struct problem *parts)
{
	if (field->nullable && json_is_null(j))
		return;
	switch (field->type) {
	case API_INTEGER: check_integer(field, j, path, parts); break;
	case API_BOOL: check_bool(j, path, parts); break;
	case API_OBJECT: check_object(field->object, j, path, parts); break;
	case API_TEXTS:
	case API_OBJECTS: check_list(field, j, path, parts); break;
	default: check_text(field, j, path, parts); break;
	}
}

static const struct api_field *field_find(const struct api_object *object, const char *name)
{
	for (size_t i = 0; i < object->field_count; i++)
		if (str_equal(object->fields[i].name, name))
			return &object->fields[i];
	return NULL;
}

static void check_object(const struct api_object *object, const struct json *j, const char *path, struct problem *parts)
{
	char at[PATH_SIZE];

	if (!json_is_object(j)) {
		wrong(path, NULL, "expected an object");
		return;
	}
	for (size_t i = 0; i < json_length(j); i++) {
		const struct json *member = json_at(j, i);
		const struct api_field *field = field_find(object, json_name(member));
		path_of(path, json_name(member), at);
		if (field)
			check_field(field, member, at, parts);
		else
			wrong(at, NULL, "there is no such field");
	}
	for (size_t i = 0; i < object->field_count; i++) {
		path_of(path, object->fields[i].name, at);
		if (object->fields[i].required && !json_member(j, object->fields[i].name))
			wrong(at, NULL, "is missing");
	}
}

void api_body_check(const struct api_object *object, const struct json *body, struct problem *parts)
{
	check_object(object, body, "", parts);
}
