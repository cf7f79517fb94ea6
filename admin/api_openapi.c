/* GET openapi.json: the description of the API (OpenAPI 3.1), printed from the tables that requests are checked with. */
#include <ctype.h>
#include <stdio.h>

#include "admin/api_routes.h"

/* --- schemas */

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

static void put_ref(struct json_writer *w, const char *schema)
{
	char text[96];

	snprintf(text, sizeof(text), "#/components/schemas/%s", schema);
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
	return type == API_TEXT || type == API_LINES || type == API_SECRET || type == API_SECRET_LINES || type == API_TIME;
}

static void put_bounds(struct json_writer *w, const struct api_field *field)
{
	bool list = field->type == API_TEXTS || field->type == API_OBJECTS;
	const char *min = list ? "minItems" : is_text(field->type) ? "minLength" : "minimum";
	const char *max = list ? "maxItems" : is_text(field->type) ? "maxLength" : "maximum";

	if (field->min)
		json_put_integer(w, min, field->min);
	if (field->max)
		json_put_integer(w, max, field->max);
}

static void put_items(struct json_writer *w, const struct api_field *field)
{
	json_open(w, "items");
	if (field->type == API_OBJECTS)
		put_ref(w, field->object->name);
	else {
		json_put(w, "type", "string");
		if (!field->choices)
			json_put_integer(w, "minLength", 1);
	}
	put_choices(w, field->choices);
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

static void put_field(struct json_writer *w, const struct api_field *field)
{
	json_open(w, field->name);
	json_put(w, "description", field->meaning);
	if (field->type == API_OBJECT) {
		put_ref(w, field->object->name);
	} else if (field->type != API_ANY) {
		put_type(w, field);
		put_bounds(w, field);
	}
	if (field->type == API_TIME)
		json_put(w, "format", "date-time");
	if (field->type == API_SECRET || field->type == API_SECRET_LINES)
		json_put(w, "format", "password");
	if (field->type == API_TEXTS || field->type == API_OBJECTS)
		put_items(w, field);
	else
		put_choices(w, field->choices);
	json_close(w);
}

static void put_object(struct json_writer *w, const struct api_object *object)
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
		put_field(w, &object->fields[i]);
	json_close(w);
	json_close(w);
}

/* Each schema once, those that it refers to included. */
enum { SCHEMAS_MAX = 64 };
struct seen {
	const struct api_object *v[SCHEMAS_MAX];
	size_t n;
};

static void gather(struct seen *seen, const struct api_object *object)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->v[i] == object)
			return;
	if (!object || seen->n == SCHEMAS_MAX)
		return;
	seen->v[seen->n++] = object;
	for (size_t i = 0; i < object->field_count; i++)
		gather(seen, object->fields[i].object);
}

static void put_schemas(struct json_writer *w)
{
	struct seen seen = {0};

	gather(&seen, &api_problem_reply);
	for (size_t i = 0; i < api_route_count(); i++) {
		gather(&seen, api_route_at(i)->body);
		gather(&seen, api_route_at(i)->reply);
	}
	json_open(w, "schemas");
	for (size_t i = 0; i < seen.n; i++)
		put_object(w, seen.v[i]);
	json_close(w);
}

/* --- paths */

static void put_parameter(struct json_writer *w, const char *name, const char *in, const char *meaning, const char *const *choices)
{
	json_open(w, NULL);
	json_put(w, "name", name);
	json_put(w, "in", in);
	json_put(w, "description", meaning);
	json_put_bool(w, "required", str_equal(in, "path"));
	json_open(w, "schema");
	json_put(w, "type", "string");
	put_choices(w, choices);
	json_close(w);
	json_close(w);
}

static void put_captures(struct json_writer *w, const char *path)
{
	for (const char *at = path; (at = strchr(at, '{')); at++) {
		char name[32];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
		put_parameter(w, name, "path", str_equal(name, "id") ? "its id" : "name of the profile", NULL);
	}
}

static void put_content(struct json_writer *w, const char *type, const char *schema)
{
	json_open(w, "content");
	json_open(w, type);
	json_open(w, "schema");
	if (schema)
		put_ref(w, schema);
	else
		json_put(w, "type", "string");
	json_close(w);
	json_close(w);
	json_close(w);
}

static bool is_deletion(const struct api_route *route)
{
	return route->http.method == HTTP_DELETE;
}

static void put_responses(struct json_writer *w, const struct api_route *route)
{
	json_open(w, "responses");
	json_open(w, is_deletion(route) ? "204" : "200");
	json_put(w, "description", is_deletion(route) ? "It is done." : "What was asked for.");
	if (!is_deletion(route))
		put_content(w, route->reply ? "application/json" : route->content, route->reply ? route->reply->name : NULL);
	json_close(w);
	if (route->may_wait) {
		json_open(w, "202");
		json_put(w, "description", "People must approve it first: Location leads to the request.");
		put_content(w, "application/json", route->reply->name);
		json_close(w);
	}
	json_open(w, "default");
	json_put(w, "description", "A problem (RFC 9457): what is wrong, all of it.");
	put_content(w, "application/problem+json", api_problem_reply.name);
	json_close(w);
	json_close(w);
}

static void put_operation(struct json_writer *w, const struct api_route *route)
{
	char method[16], role[64];

	snprintf(method, sizeof(method), "%s", http_method_name(route->http.method));
	for (char *c = method; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	snprintf(role, sizeof(role), "Role: %s.", api_route_role(route));
	json_open(w, method);
	json_put(w, "summary", route->summary);
	json_put(w, "description", role);
	json_open_array(w, "parameters");
	put_captures(w, route->http.path);
	for (size_t i = 0; route->query && route->query[i].name; i++)
		put_parameter(w, route->query[i].name, "query", route->query[i].meaning, route->query[i].choices);
	json_close(w);
	if (route->body) {
		json_open(w, "requestBody");
		json_put_bool(w, "required", true);
		put_content(w, route->http.content_type, route->body->name);
		json_close(w);
	}
	if (route->role == API_PUBLIC) {
		json_open_array(w, "security");
		json_close(w);
	}
	put_responses(w, route);
	json_close(w);
}

static bool is_first_of_path(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_equal(api_route_at(k)->http.path, api_route_at(i)->http.path))
			return false;
	return true;
}

static void put_paths(struct json_writer *w)
{
	json_open(w, "paths");
	for (size_t i = 0; i < api_route_count(); i++) {
		if (!is_first_of_path(i))
			continue;
		json_open(w, api_route_at(i)->http.path);
		for (size_t k = i; k < api_route_count(); k++)
			if (str_equal(api_route_at(k)->http.path, api_route_at(i)->http.path))
				put_operation(w, api_route_at(k));
		json_close(w);
	}
	json_close(w);
}

static void put_security(struct json_writer *w)
{
	json_open(w, "securitySchemes");
	json_open(w, "token");
	json_put(w, "type", "http");
	json_put(w, "scheme", "bearer");
	json_put(w, "description", "A token of `enrolld token create`; or a client certificate that is one.");
	json_close(w);
	json_close(w);
}

bool api_openapi_get(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put(&w, "openapi", "3.1.0");
	json_open(&w, "info");
	json_put(&w, "title", "enrolld");
	json_put(&w, "version", "1");
	json_close(&w);
	json_open_array(&w, "security");
	json_open(&w, NULL);
	json_open_array(&w, "token");
	json_close(&w);
	json_close(&w);
	json_close(&w);
	put_paths(&w);
	json_open(&w, "components");
	put_security(&w);
	put_schemas(&w);
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
