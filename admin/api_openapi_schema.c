/* The schemas of the description, printed from the tables that requests are checked with. */
#include <assert.h>
#include <stdio.h>

#include "admin/api_body.h"
#include "admin/api_openapi.h"

/* What api_text_has_control refuses. */
#define LINE "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
#define LINES "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"

static const char *type_name(enum api_type type)
{
	switch (type) {
	case API_INTEGER: return "integer";
	case API_BOOL: return "boolean";
	case API_OBJECT: return "object";
	case API_TEXTS:
	case API_OBJECTS: return "array";
	default: return "string";
	}
}

void api_openapi_ref(struct json_writer *w, const char *section, const char *name)
{
	char text[96];

	snprintf(text, sizeof(text), "#/components/%s/%s", section, name);
	json_put(w, "$ref", text);
}

static void put_choices(struct json_writer *w, const char *const *choices)
{
	if (!choices)
		return;
	json_open_array(w, "enum");
	for (size_t i = 0; choices[i]; i++)
		json_put(w, NULL, choices[i]);
	json_close(w);
}

static bool is_text(enum api_type type)
{
	return type == API_TEXT || type == API_LINES || type == API_SECRET || type == API_SECRET_LINES;
}

static bool is_list(enum api_type type)
{
	return type == API_TEXTS || type == API_OBJECTS;
}

/* Of what clients send all that is checked; of replies what the row says. */
static void put_bounds(struct json_writer *w, const struct api_field *field, bool asked)
{
	bool list = is_list(field->type), text = is_text(field->type), number = field->type == API_INTEGER;
	int64_t max = asked && (list || text) ? api_field_max(field) : field->max;

	if (!list && !text && !number)
		return;
	if (field->min || (asked && number))
		json_put_integer(w, list ? "minItems" : text ? "minLength" : "minimum", field->min);
	if (max)
		json_put_integer(w, list ? "maxItems" : text ? "maxLength" : "maximum", max);
}

static void put_form(struct json_writer *w, const struct api_field *field, bool asked)
{
	bool lines = field->type == API_LINES || field->type == API_SECRET_LINES;

	if (field->type == API_TIME)
		json_put(w, "format", "date-time");
	if (field->type == API_SECRET || field->type == API_SECRET_LINES)
		json_put(w, "format", "password");
	if (field->pattern)
		json_put(w, "pattern", field->pattern);
	else if (asked && is_text(field->type) && !field->choices)
		json_put(w, "pattern", lines ? LINES : LINE);
}

static void put_items(struct json_writer *w, const struct api_field *field, bool asked)
{
	json_open(w, "items");
	if (field->type == API_OBJECTS) {
		api_openapi_ref(w, "schemas", field->object->name);
	} else {
		json_put(w, "type", "string");
		if (!field->choices)
			json_put_integer(w, "minLength", 1);
		if (!field->choices && asked) {
			json_put_integer(w, "maxLength", API_TEXT_MAX);
			json_put(w, "pattern", LINE);
		}
		put_choices(w, field->choices);
	}
	json_close(w);
}

static void put_type(struct json_writer *w, const struct api_field *field)
{
	if (!field->nullable) {
		json_put(w, "type", type_name(field->type));
		return;
	}
	json_open_array(w, "type");
	json_put(w, NULL, type_name(field->type));
	json_put(w, NULL, "null");
	json_close(w);
}

static void put_field(struct json_writer *w, const struct api_field *field, bool asked)
{
	json_open(w, field->name);
	json_put(w, "description", field->meaning);
	if (field->type == API_OBJECT) {
		api_openapi_ref(w, "schemas", field->object->name);
	} else if (field->type != API_ANY) {
		put_type(w, field);
		put_bounds(w, field, asked);
		put_form(w, field, asked);
	}
	if (is_list(field->type))
		put_items(w, field, asked);
	else
		put_choices(w, field->choices);
	json_close(w);
}

static void put_object(struct json_writer *w, const struct api_object *object, bool asked)
{
	json_open(w, object->name);
	json_put(w, "type", "object");
	json_put_bool(w, "additionalProperties", false);
	json_open_array(w, "required");
	for (size_t i = 0; i < object->field_count; i++)
		if (object->fields[i].required)
			json_put(w, NULL, object->fields[i].name);
	json_close(w);
	json_open(w, "properties");
	for (size_t i = 0; i < object->field_count; i++)
		put_field(w, &object->fields[i], asked);
	json_close(w);
	json_close(w);
}

enum { SCHEMAS_MAX = 96 };
struct seen {
	const struct api_object *v[SCHEMAS_MAX];
	size_t n;
};

static void gather(struct seen *seen, const struct api_object *object)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->v[i] == object)
			return;
	if (!object)
		return;
	assert(seen->n < SCHEMAS_MAX);
	seen->v[seen->n++] = object;
	for (size_t i = 0; i < object->field_count; i++)
		gather(seen, object->fields[i].object);
}

/* What is in bodies and replies alike is told as it is checked. */
void api_openapi_schemas(struct json_writer *w)
{
	struct seen seen = {0};

	for (size_t i = 0; i < api_route_count(); i++)
		gather(&seen, api_route_at(i)->body);
	size_t asked = seen.n;
	gather(&seen, &api_problem_reply);
	for (size_t i = 0; i < api_route_count(); i++)
		gather(&seen, api_route_at(i)->reply);
	json_open(w, "schemas");
	for (size_t i = 0; i < seen.n; i++)
		put_object(w, seen.v[i], i < asked);
	json_close(w);
}

/* What the router takes for one segment of a path. */
static void put_capture(struct json_writer *w)
{
	json_put(w, "type", "string");
	json_put_integer(w, "minLength", 1);
	json_put_integer(w, "maxLength", HTTP_CAPTURE_SIZE - 1);
	json_put(w, "pattern", "^[-A-Za-z0-9._~:]+$");
}

static void put_query(struct json_writer *w, const struct api_parameter *parameter)
{
	json_put(w, "type", type_name(parameter->type));
	if (parameter->type == API_INTEGER) {
		json_put_integer(w, "minimum", parameter->min);
		json_put_integer(w, "maximum", parameter->max);
	} else if (parameter->type == API_TIME) {
		json_put(w, "format", "date-time");
	} else if (parameter->choices) {
		put_choices(w, parameter->choices);
	} else {
		json_put_integer(w, "minLength", 1);
		json_put_integer(w, "maxLength", API_TEXT_MAX);
		json_put(w, "pattern", parameter->pattern ?: LINE);
	}
}

void api_openapi_parameter(struct json_writer *w, const struct api_parameter *parameter)
{
	json_open(w, "schema");
	if (parameter)
		put_query(w, parameter);
	else
		put_capture(w);
	json_close(w);
}

void api_openapi_content(struct json_writer *w, const char *type, const struct api_object *schema)
{
	json_open(w, "content");
	json_open(w, type);
	json_open(w, "schema");
	if (schema) {
		api_openapi_ref(w, "schemas", schema->name);
	} else {
		json_put(w, "type", "string");
		json_put(w, "format",
		         "binary"); /* PEM too: as a text, generated clients read JSON and text/plain alone */
	}
	json_close(w);
	json_close(w);
	json_close(w);
}
