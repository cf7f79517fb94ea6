#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/router.h"

/* Two wings: "spoken" words its refusals and owns what is below "/s/", "plain" owns nothing. */
static const struct http_route spoken_routes[] = {
	{ .method = HTTP_GET, .path = "/s/list" },
	{ .method = HTTP_POST, .path = "/s/{kind}", .content_type = "application/json", .body_max = 10 },
	{ .method = HTTP_POST, .path = "/s/list", .body_max = 20 },
	{ .method = HTTP_GET, .path = "/s/{kind}/order/{id}" },
	{ .method = HTTP_DELETE, .path = "/s/{kind}/order/{id}" },
	{ .method = HTTP_HEAD, .path = "/s/nonce" },
	{ .method = HTTP_GET, .path = "/s/nonce" },
	{ .method = HTTP_GET, .path = "/s/fails" },
	{ .method = HTTP_POST, .path = "/s/two", .content_type = "a/b", .body_max = 1 },
	{ .method = HTTP_POST, .path = "/s/two", .content_type = "c/d", .body_max = 2 },
	{ .method = HTTP_GET, .path = "/s/of/{kind}/{rest*}" },
	{ .method = HTTP_GET, .path = "/s/of/{kind}/more/{rest*}" },
	{ .method = HTTP_POST, .path = "/s/of/{kind}", .body_max = 3 },
};
static const struct http_route plain_routes[] = {
	{ .method = HTTP_GET, .path = "/" },
	{ .method = HTTP_GET, .path = "/p/" },
	{ .method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}" },
};

static const struct http_route *spoken_route(void *state, size_t i)
{
	(void)state;
	return &spoken_routes[i];
}

static const struct http_route *plain_route(void *state, size_t i)
{
	(void)state;
	return &plain_routes[i];
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	(void)state;
	if (str_equal(request->path, "/s/fails")) {
		http_response_header(response, "X-Half", "made");
		buf_add_str(&response->body, "half");
		return problem_internal(p, "the cause");
	}
	response->status = 200;
	buf_printf(&response->body, "route %zu", i);
	return true;
}

static void speak(void *state, size_t i, const struct http_request *request, const struct problem *p,
                  struct http_response *response)
{
	(void)state;
	(void)request;
	response->status = problem_status(p);
	response->content_type = "text/plain";
	buf_printf(&response->body, "refused %zu", i);
}

static const struct http_wing spoken = { "spoken", NULL, array_length(spoken_routes), spoken_route, serve, speak, "/s/" };
static const struct http_wing plain = { "plain", NULL, array_length(plain_routes), plain_route, serve, speak, NULL };
static const struct http_wing *const wings[] = { &plain, &spoken };
static struct router *router;

static int make_router(void **state)
{
	struct problem p = {0};

	(void)state;
	return router_new(wings, array_length(wings), &router, &p) ? 0 : -1;
}

static int drop_router(void **state)
{
	(void)state;
	router_free(router);
	return 0;
}

static struct http_request request_of(const char *method, const char *path, const struct http_header *type)
{
	return (struct http_request){
		.method = http_method_from(method), .method_name = method, .path = path, .query = "",
		.headers = type, .header_count = type ? 1 : 0,
	};
}

static void requests_find_their_route(void **state)
{
	static const struct {
		const char *method, *path, *type;
		const struct http_wing *want_wing;
		size_t want_route, want_body_max;
		const char *want_first, *want_second;
	} rows[] = {
		{ "GET", "/", NULL, &plain, 0, 0, "", "" },
		{ "GET", "/p/", NULL, &plain, 1, 0, "", "" },
		{ "GET", "/s/list", NULL, &spoken, 0, 0, "", "" },
		{ "HEAD", "/s/list", NULL, &spoken, 0, 0, "", "" },
		{ "POST", "/s/list", NULL, &spoken, 2, 20, "", "" },
		{ "POST", "/s/other", "application/json", &spoken, 1, 10, "other", "" },
		{ "POST", "/s/other", "Application/JSON; charset=utf-8", &spoken, 1, 10, "other", "" },
		{ "GET", "/s/k/order/A-Z_a.z~09", NULL, &spoken, 3, 0, "k", "A-Z_a.z~09" },
		{ "DELETE", "/s/k/order/1", NULL, &spoken, 4, 0, "k", "1" },
		{ "HEAD", "/s/nonce", NULL, &spoken, 5, 0, "", "" },
		{ "GET", "/s/nonce", NULL, &spoken, 6, 0, "", "" },
		{ "POST", "/s/two", "a/b", &spoken, 8, 1, "", "" },
		{ "POST", "/s/two", "c/d", &spoken, 9, 2, "", "" },
		{ "GET", "/w/x/y/z", NULL, &plain, 2, 0, "w", "x" },
		{ "POST", "/s/of/k", NULL, &spoken, 12, 3, "k", "" },
		{ "GET", "/s/of/k/", NULL, &spoken, 10, 0, "k", "" },
		{ "HEAD", "/s/of/k/a%2Fb+c=", NULL, &spoken, 10, 0, "k", "" },
		{ "GET", "/s/of/k/a/b", NULL, &spoken, 10, 0, "k", "" },
		{ "GET", "/s/of/k//", NULL, &spoken, 10, 0, "k", "" },
		{ "GET", "/s/of/k/1/2/3/4/5/6/7/8/9//11/12/../13/", NULL, &spoken, 10, 0, "k", "" },
		{ "GET", "/s/of/k/more", NULL, &plain, 2, 0, "s", "of" }, /* a whole name before any rest */
		{ "GET", "/s/of/k/more/x", NULL, &spoken, 11, 0, "k", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct http_header type = { "Content-Type", rows[i].type };
		struct http_request r = request_of(rows[i].method, rows[i].path, rows[i].type ? &type : NULL);
		auto_value(http_response) response = {0};
		struct router_match match;
		char cause[10];
		if (!router_find(router, &r, &match, &response))
			fail_msg("row %zu: status %d", i, response.status);
		assert_ptr_equal(match.wing, rows[i].want_wing);
		assert_int_equal(match.route, rows[i].want_route);
		assert_int_equal(match.body_max, rows[i].want_body_max);
		assert_string_equal(r.captures[0], rows[i].want_first);
		assert_string_equal(r.captures[1], rows[i].want_second);
		router_serve(&match, &r, &response, cause, sizeof(cause));
		assert_int_equal(response.status, 200);
		assert_string_equal(cause, "");
	}
}

static const char *worded(const struct http_response *response)
{
	return response->content_type && str_equal(response->content_type, "text/plain") ? buf_text(&response->body) : "";
}

static void requests_without_a_route(void **state)
{
	static const struct {
		const char *method, *path, *type;
		int want_status;
		const char *want_headers, *want_words; /* "": worded by nobody */
	} rows[] = {
		{ "GET", "/nothing", NULL, 404, "", "" },
		{ "GET", "/s", NULL, 404, "", "" },
		{ "GET", "/s/", NULL, 404, "", "refused 13" },
		{ "GET", "/s/list/", NULL, 404, "", "refused 13" },
		{ "GET", "//s/list", NULL, 404, "", "" },
		{ "GET", "/s//list", NULL, 404, "", "refused 13" },
		{ "GET", "/s/%6cist", NULL, 404, "", "refused 13" },
		{ "GET", "/s/./list", NULL, 404, "", "refused 13" },
		{ "GET", "/x/../s/list", NULL, 404, "", "" },
		{ "GET", "/w/../y/z", NULL, 404, "", "" },
		{ "GET", "/w/./y/z", NULL, 404, "", "" },
		{ "GET", "/s/k/order/", NULL, 404, "", "refused 13" },
		{ "GET", "/s/k/order/a%2fb", NULL, 404, "", "refused 13" },
		{ "GET", "/s/k/order/a b", NULL, 404, "", "refused 13" },
		{ "GET", "/s/k/order/1;x", NULL, 404, "", "refused 13" },
		{ "GET", "/S/list", NULL, 404, "", "" },
		{ "GET", "/p", NULL, 404, "", "" },
		{ "GET", "/s/of/a%20b/x", NULL, 404, "", "refused 13" },
		{ "GET", "", NULL, 404, "", "" },
		{ "GET", "*", NULL, 404, "", "" },
		{ "GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13", NULL, 404, "", "" },
		{ "DELETE", "/s/list", NULL, 405, "Allow: GET, HEAD, POST, OPTIONS\r\n", "refused 13" },
		{ "GET", "/s/k", NULL, 405, "Allow: POST, OPTIONS\r\n", "refused 13" },
		{ "PROPFIND", "/s/nonce", NULL, 405, "Allow: GET, HEAD, OPTIONS\r\n", "refused 13" },
		{ "POST", "/s/nonce", "application/json", 405, "Allow: GET, HEAD, OPTIONS\r\n", "refused 13" },
		{ "PUT", "/s/k/order/1", NULL, 405, "Allow: GET, HEAD, DELETE, OPTIONS\r\n", "refused 13" },
		{ "POST", "/s/other", NULL, 415, "", "refused 1" },
		{ "POST", "/s/other", "text/json", 415, "", "refused 1" },
		{ "POST", "/s/two", "x/y", 415, "", "refused 8" },
		{ "OPTIONS", "/s/list", NULL, 204, "Allow: GET, HEAD, POST, OPTIONS\r\n", "" },
		{ "OPTIONS", "/s/k/order/1", NULL, 204, "Allow: GET, HEAD, DELETE, OPTIONS\r\n", "" },
		{ "OPTIONS", "/s/fails", NULL, 204, "Allow: GET, HEAD, OPTIONS\r\n", "" },
		{ "OPTIONS", "/nothing", NULL, 404, "", "" },
		{ "OPTIONS", "*", NULL, 204, "Allow: GET, HEAD, POST, OPTIONS\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct http_header type = { "Content-Type", rows[i].type };
		struct http_request r = request_of(rows[i].method, rows[i].path, rows[i].type ? &type : NULL);
		auto_value(http_response) response = {0};
		struct router_match match;
		if (router_find(router, &r, &match, &response))
			fail_msg("row %zu: %s %s found a route", i, rows[i].method, rows[i].path);
		if (response.status != rows[i].want_status || !str_equal(worded(&response), rows[i].want_words) ||
		    !str_equal(buf_text(&response.headers), rows[i].want_headers))
			fail_msg("row %zu: %d, '%s', '%s'", i, response.status, buf_text(&response.headers), buf_text(&response.body));
	}
}

static void captures_are_bounded(void **state)
{
	(void)state;
	for (size_t len = HTTP_CAPTURE_SIZE - 1; len <= HTTP_CAPTURE_SIZE; len++) {
		auto_value(buf) path = {0};
		auto_value(http_response) response = {0};
		struct router_match match;
		buf_add_str(&path, "/s/k/order/");
		for (size_t i = 0; i < len; i++)
			buf_add_char(&path, 'x');
		struct http_request r = request_of("GET", buf_text(&path), NULL);
		assert_int_equal(router_find(router, &r, &match, &response), len < HTTP_CAPTURE_SIZE);
	}
}

static void a_failing_handler_is_refused_whole(void **state)
{
	struct http_request r = request_of("GET", "/s/fails", NULL);
	auto_value(http_response) response = {0};
	struct router_match match;
	char cause[6];

	(void)state;
	assert_true(router_find(router, &r, &match, &response));
	router_serve(&match, &r, &response, cause, sizeof(cause));
	assert_int_equal(response.status, 500);
	assert_string_equal(worded(&response), "refused 7");
	assert_string_equal(buf_text(&response.headers), "");
	assert_string_equal(cause, "the c");
}

static void the_listeners_refusals_are_worded_by_the_wing(void **state)
{
	auto_value(problem) p = {0};
	auto_value(http_response) response = {0};
	struct http_request r = request_of("POST", "/s/x/y", NULL);
	struct router_match match = { .wing = &spoken, .route = 3 }, none = {0};

	(void)state;
	problem_set(&p, PROBLEM_TOO_LARGE, "too large");
	router_refuse(router, &match, &r, &p, &response);
	assert_string_equal(worded(&response), "refused 3");
	router_refuse(router, &none, &r, &p, &response);
	assert_string_equal(worded(&response), "refused 13");
	r.path = "/elsewhere";
	router_refuse(router, &none, &r, &p, &response);
	assert_int_equal(response.status, 413);
	assert_string_equal(response.content_type, "application/problem+json");
}

static const struct http_route *odd_route(void *state, size_t i)
{
	(void)i;
	return state;
}

static void odd_routes_are_refused(void **state)
{
	static const char *const paths[] = {
		"", "relative", "/a/{b}/{c}/{d}/{e}/{f}", "/1/2/3/4/5/6/7/8/9/10/11/12/13", "/a/{b*}/c",
		"/1/2/3/4/5/6/7/8/9/10/11/12/{x*}",
	};

	(void)state;
	for (size_t i = 0; i < array_length(paths); i++) {
		struct http_route odd = { .path = paths[i] };
		const struct http_wing wing = { "odd", &odd, 1, odd_route, serve, speak, NULL };
		const struct http_wing *const one[] = { &wing };
		auto_value(problem) p = {0};
		auto_struct(router) *none = NULL;
		assert_false(router_new(one, 1, &none, &p));
		assert_null(none);
	}
	struct http_route twice = { .path = "/{a}/b" };
	const struct http_wing wing = { "odd", &twice, 2, odd_route, serve, speak, NULL };
	const struct http_wing *const one[] = { &wing };
	auto_value(problem) p = {0};
	auto_struct(router) *none = NULL;
	assert_false(router_new(one, 1, &none, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_find_their_route),
		cmocka_unit_test(requests_without_a_route),
		cmocka_unit_test(captures_are_bounded),
		cmocka_unit_test(a_failing_handler_is_refused_whole),
		cmocka_unit_test(the_listeners_refusals_are_worded_by_the_wing),
		cmocka_unit_test(odd_routes_are_refused),
	};
	return cmocka_run_group_tests(tests, make_router, drop_router);
}
