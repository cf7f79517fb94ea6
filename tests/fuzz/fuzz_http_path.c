/* "METHOD path" against a table like the real ones. Where a route is found, its pattern with the
 * captures put in must be the path itself; where none is, there must be an answer that says why. */
#include <stdlib.h>

#include "server/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const struct http_route routes[] = {
	{ .method = HTTP_GET, .path = "/acme/directory" },
	{ .method = HTTP_GET, .path = "/acme/{profile}/directory" },
	{ .method = HTTP_HEAD, .path = "/acme/new-nonce" },
	{ .method = HTTP_GET, .path = "/acme/new-nonce" },
	{ .method = HTTP_POST, .path = "/acme/{profile}/order/{id}", .content_type = "application/jose+json", .body_max = 1 },
	{ .method = HTTP_POST, .path = "/acme/default/order/{id}", .body_max = 1 },
	{ .method = HTTP_DELETE, .path = "/{a}/{b}/{c}/{d}" },
	{ .method = HTTP_GET, .path = "/" },
	{ .method = HTTP_GET, .path = "/ca/" },
	{ .method = HTTP_GET, .path = "/ocsp/{issuer}/{rest*}" },
};

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &routes[i];
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	(void)state, (void)i, (void)request, (void)response, (void)p;
	return true;
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	(void)state, (void)request;
	must(i <= array_length(routes) && problem_is_set(p));
	response->status = problem_status(p);
}

static const struct http_wing wing = { "fuzz", NULL, array_length(routes), route, serve, refuse, "/acme/" };

/* The pattern with its captures in their places. */
static void expand(const struct http_route *row, const struct http_request *request, struct buf *ret)
{
	size_t capture = 0;

	for (const char *at = row->path; *at; at++) {
		if (*at != '{') {
			buf_add_char(ret, *at);
			continue;
		}
		if (str_equal(at, "{rest*}")) { /* is in no capture */
			must(strlen(request->path) >= ret->len);
			buf_add_str(ret, request->path + ret->len);
			return;
		}
		const char *value = request->captures[capture++];
		must(*value && !str_equal(value, ".") && !str_equal(value, "..") && !strchr(value, '/') && !strchr(value, '%'));
		buf_add_str(ret, value);
		at = strchr(at, '}');
	}
}

static void check_found(const struct router_match *match, const struct http_request *request)
{
	const struct http_route *row = &routes[match->route];
	auto_value(buf) path = {0};

	must(match->wing == &wing && match->route < array_length(routes));
	must(row->method == request->method || (row->method == HTTP_GET && request->method == HTTP_HEAD));
	must(match->body_max == row->body_max);
	expand(row, request, &path);
	must(str_equal(buf_text(&path), request->path));
}

static struct router *router_once(void)
{
	static struct router *router;
	const struct http_wing *const wings[] = { &wing };
	struct problem p = {0};

	if (!router)
		must(router_new(wings, 1, &router, &p));
	return router;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);
	auto_value(http_response) response = {0};
	struct http_header type = { "Content-Type", "application/jose+json" };
	struct router_match match;

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	char *space = strchr(text, ' ');
	if (!space)
		return 0;
	*space = '\0';
	struct http_request request = {
		.method = http_method_from(text), .method_name = text, .path = space + 1, .query = "",
		.headers = &type, .header_count = size & 1,
	};
	if (router_find(router_once(), &request, &match, &response))
		check_found(&match, &request);
	else
		must(response.status == 204 || (response.status >= 404 && response.status <= 415));
	return 0;
}
