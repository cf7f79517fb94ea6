/* GET openapi.json: the description of the API (OpenAPI 3.1), printed from the tables that requests are checked
 * with. */
#include <ctype.h>
#include <stdio.h>

#include "admin/api_openapi.h"

/* --- paths */

static void put_parameter(struct json_writer *w, const char *name, const char *meaning,
                          const struct api_parameter *query)
{
	json_open(w, NULL);
	json_put(w, "name", name);
	json_put(w, "in", query ? "query" : "path");
	json_put(w, "description", meaning);
	json_put_bool(w, "required", !query || query->required);
	api_openapi_parameter(w, query);
	json_close(w);
}

static void put_captures(struct json_writer *w, const struct api_route *route)
{
	for (const char *at = route->http.path; (at = strchr(at, '{')); at++) {
		char name[32];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
		put_parameter(w, name,
		              str_equal(name, "profile")           ? "name of the profile"
		              : route->scope == API_BY_CERTIFICATE ? "its id, serial number or fingerprint"
		                                                   : "its id",
		              NULL);
	}
}

static void put_header(struct json_writer *w, const char *name)
{
	static const struct {
		const char *name, *meaning, *type;
	} headers[] = {
		{ "Location", "the request, which keeps what became of it", "string" },
		{ "Retry-After", "seconds to wait before the next try", "integer" },
		{ "WWW-Authenticate", "what is asked for (RFC 6750, 3)", "string" },
	};

	for (size_t i = 0; i < array_length(headers); i++) {
		if (!str_equal(headers[i].name, name))
			continue;
		json_open(w, name);
		json_put(w, "description", headers[i].meaning);
		json_open(w, "schema");
		json_put(w, "type", headers[i].type);
		json_close(w);
		json_close(w);
	}
}

void api_openapi_headers(struct json_writer *w, const char *first, const char *second)
{
	if (!first)
		return;
	json_open(w, "headers");
	put_header(w, first);
	if (second)
		put_header(w, second);
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
		api_openapi_content(w, route->reply ? "application/json" : route->content, route->reply);
	json_close(w);
	if (route->may_wait) {
		json_open(w, "202");
		json_put(w, "description", "People must approve it first.");
		api_openapi_headers(w, "Location", "Retry-After");
		api_openapi_content(w, "application/json", route->reply);
		json_close(w);
	}
	api_openapi_refuses(w, route);
	json_close(w);
}

/* The folder of a path says what it is about. */
static const struct tag {
	const char *path, *name, *meaning;
} tags[] = {
	{ "cert-manager/certificate-profiles", "Profiles",
	  "What certificates there can be, and who may ask for them how." },
	{ "cert-manager/policies", "Policies", "What may stand in a certificate, field by field." },
	{ "cert-manager/certificate-requests", "Requests", "What was asked for, and what became of it; approval." },
	{ "cert-manager/ca", "Authorities", "Who issues." },
	{ "cert-manager/", "Certificates", "Issuing, the inventory, keys, renewal and revocation." },
	{ "acme/", "ACME", "External account keys, accounts and orders." },
	{ "est/", "EST credentials", "With what devices enroll over EST." },
	{ "audit/", "Audit", "What was decided, when and by whom." },
	{ "webhooks", "Webhooks", "Where events are sent." },
	{ "", "API", "The token, and this description." },
};

static const char *tag_of(const struct api_route *route)
{
	size_t i = 0;

	while (!str_starts(route->http.path + strlen(API_PREFIX), tags[i].path))
		i++;
	return tags[i].name;
}

static void put_tags(struct json_writer *w)
{
	json_open_array(w, "tags");
	for (size_t i = 0; i < array_length(tags); i++) {
		json_open(w, NULL);
		json_put(w, "name", tags[i].name);
		json_put(w, "description", tags[i].meaning);
		json_close(w);
	}
	json_close(w);
}

static void put_labels(struct json_writer *w, const struct api_route *route)
{
	char role[64];

	snprintf(role, sizeof(role), "Role: %s.", api_route_role(route));
	json_put(w, "operationId", route->name);
	json_put(w, "summary", route->summary);
	json_put(w, "description", role);
	json_open_array(w, "tags");
	json_put(w, NULL, tag_of(route));
	json_close(w);
}

static void put_operation(struct json_writer *w, const struct api_route *route)
{
	char method[16];

	snprintf(method, sizeof(method), "%s", http_method_name(route->http.method));
	for (char *c = method; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	json_open(w, method);
	put_labels(w, route);
	json_open_array(w, "parameters");
	put_captures(w, route);
	for (size_t i = 0; route->query && route->query[i].name; i++)
		put_parameter(w, route->query[i].name, route->query[i].meaning, &route->query[i]);
	json_close(w);
	if (route->body) {
		json_open(w, "requestBody");
		json_put_bool(w, "required", true);
		api_openapi_content(w, route->http.content_type, route->body);
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

static void put_info(struct json_writer *w)
{
	json_open(w, "info");
	json_put(w, "title", "enrolld");
	json_put(w, "version", "1");
	json_put(w, "description",
	         "Certificates by CSR or with keys that the server makes, the inventory of all that was issued by "
	         "any method, renewal, revocation, approval, and what operators need. Lists come in pages: the "
	         "`next` of a reply is the `after` of the next request; a reply without it is the last. Each "
	         "refusal tells all that is wrong (RFC 9457).");
	json_open(w, "contact");
	json_put(w, "name", "Who operates this server");
	json_close(w);
	json_open(w, "license");
	json_put(w, "name", "Apache 2.0");
	json_put(w, "identifier", "Apache-2.0");
	json_close(w);
	json_close(w);
}

static void put_servers(struct json_writer *w, const char *url)
{
	json_open_array(w, "servers");
	json_open(w, NULL);
	json_put(w, "url", url);
	json_put(w, "description", "This server.");
	json_close(w);
	json_close(w);
}

/* A token is asked for wherever a row says nothing else. */
static void put_demand(struct json_writer *w)
{
	json_open_array(w, "security");
	json_open(w, NULL);
	json_open_array(w, "token");
	json_close(w);
	json_close(w);
	json_close(w);
}

bool api_openapi_get(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put(&w, "openapi", "3.1.0");
	put_info(&w);
	put_servers(&w, call->request->base_url);
	put_demand(&w);
	put_tags(&w);
	put_paths(&w);
	json_open(&w, "components");
	put_security(&w);
	api_openapi_refusals(&w);
	api_openapi_schemas(&w);
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
