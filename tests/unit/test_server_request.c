#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/request.h"

enum { HEADERS = 8, TEXT = 200 };

/* A request as a table row says it; headers are "Name: value". */
struct row {
	const char *method, *target, *version;
	const char *headers[HEADERS];
	int want_status;               /* 0: it is read */
	const char *want_base_url, *want_path, *want_query;
	size_t want_length;
};

static struct strings names;
static const struct request_place any_name = { .scheme = "https", .names = &names, .authority = "127.0.0.1:8443" };
static const struct request_place one_name = { .scheme = "https", .external_url = "https://ca.example", .names = &names,
	.authority = "127.0.0.1:8443" };
static const struct request_place plain = { .scheme = "http", .names = &names, .authority = "[::1]:8080" };

static int set_names(void **state)
{
	(void)state;
	return strings_add(&names, "ca.example") && strings_add(&names, "127.0.0.1") && strings_add(&names, "::1") ? 0 : -1;
}

static int free_names(void **state)
{
	(void)state;
	strings_free(&names);
	return 0;
}

/* The head's text must outlive the request. */
struct text {
	char target[TEXT], headers[HEADERS][TEXT];
};

static bool read_row(const struct request_place *place, const struct row *row, struct text *text, struct request *r,
                     struct problem *p)
{
	struct http_header headers[HEADERS];
	size_t n = 0;

	for (; n < HEADERS && row->headers[n]; n++) {
		snprintf(text->headers[n], TEXT, "%s", row->headers[n]);
		char *colon = strstr(text->headers[n], ": ");
		*colon = '\0';
		headers[n] = (struct http_header){ text->headers[n], colon + 2 };
	}
	snprintf(text->target, TEXT, "%s", row->target ?: "/");
	struct request_head head = { row->method ?: "GET", text->target, row->version ?: "1.1", n, headers };
	return request_read(place, &head, r, p);
}

static void check_rows(const struct request_place *place, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		auto_value(problem) p = {0};
		struct request r = {0};
		struct text text;
		bool ok = read_row(place, row, &text, &r, &p);
		if (ok != (row->want_status == 0) || (!ok && problem_status(&p) != row->want_status))
			fail_msg("row %zu: status %d (%s), wanted %d", i, ok ? 0 : problem_status(&p), p.detail, row->want_status);
		if (row->want_base_url)
			assert_string_equal(r.http.base_url, row->want_base_url);
		if (row->want_path)
			assert_string_equal(r.http.path, row->want_path);
		if (row->want_query) {
			assert_string_equal(r.http.query, row->want_query);
			assert_int_equal(r.http.has_query, strchr(row->target, '?') != NULL);
		}
		assert_int_equal(r.content_length, row->want_length);
	}
}

static void targets(void **state)
{
	static const struct row rows[] = {
		{ .target = "/a/b", .headers = { "Host: ca.example" }, .want_path = "/a/b", .want_query = "" },
		{ .target = "/a?b=c?d", .headers = { "Host: ca.example" }, .want_path = "/a", .want_query = "b=c?d" },
		{ .target = "/a?", .headers = { "Host: ca.example" }, .want_path = "/a", .want_query = "" },
		{ .target = "/%2e%2E/a", .headers = { "Host: ca.example" }, .want_path = "/%2e%2E/a" },
		{ .target = "https://ca.example/a?q", .headers = { "Host: ca.example" }, .want_path = "/a", .want_query = "q",
		  .want_base_url = "https://ca.example" },
		{ .target = "HTTP://127.0.0.1:99/a", .headers = { "Host: evil.example" }, .want_path = "/a",
		  .want_base_url = "https://127.0.0.1:99" },
		{ .target = "https://evil.example/", .headers = { "Host: ca.example" }, .want_status = 421 },
		{ .target = "https://ca.example@evil/", .headers = { "Host: ca.example" }, .want_status = 400 },
		{ .target = "https:///a", .headers = { "Host: ca.example" }, .want_status = 400 },
		{ .target = "ftp://ca.example/a", .headers = { "Host: ca.example" }, .want_status = 400 },
		{ .target = "a/b", .headers = { "Host: ca.example" }, .want_status = 400 },
		{ .method = "CONNECT", .target = "ca.example:443", .headers = { "Host: ca.example" }, .want_status = 400 },
		{ .method = "OPTIONS", .target = "*", .headers = { "Host: ca.example" }, .want_path = "*" },
	};

	(void)state;
	check_rows(&any_name, rows, array_length(rows));
}

static void versions(void **state)
{
	static const struct row rows[] = {
		{ .version = "1.1", .headers = { "Host: ca.example" } },
		{ .version = "1.0", .headers = { "Host: ca.example" }, .want_base_url = "https://ca.example" },
		{ .version = "1.0", .want_base_url = "https://127.0.0.1:8443" },
		{ .version = "1.2", .headers = { "Host: ca.example" }, .want_status = 505 },
		{ .version = "2.0", .headers = { "Host: ca.example" }, .want_status = 505 },
		{ .version = "0.9", .headers = { "Host: ca.example" }, .want_status = 505 },
	};

	(void)state;
	check_rows(&any_name, rows, array_length(rows));
}

static void hosts_make_the_base_url(void **state)
{
	static const struct row rows[] = {
		{ .headers = { "Host: ca.example" }, .want_base_url = "https://ca.example" },
		{ .headers = { "Host: ca.example:443" }, .want_base_url = "https://ca.example" },
		{ .headers = { "Host: ca.example:" }, .want_base_url = "https://ca.example" },
		{ .headers = { "Host: ca.example:80" }, .want_base_url = "https://ca.example:80" },
		{ .headers = { "Host: CA.Example:8443  " }, .want_base_url = "https://CA.Example:8443" },
		{ .headers = { "Host: 127.0.0.1:1" }, .want_base_url = "https://127.0.0.1:1" },
		{ .headers = { "Host: [::1]:8443" }, .want_base_url = "https://[::1]:8443" },
		{ .headers = { "Host: [0:0::0:1]" }, .want_base_url = "https://[0:0::0:1]" },
		{ .headers = { "Host: other.example" }, .want_status = 421 },
		{ .headers = { "Host: ca.example.evil" }, .want_status = 421 },
		{ .headers = { "Host: 127.0.0.2" }, .want_status = 421 },
		{ .want_status = 400 },
		{ .headers = { "Host: " }, .want_status = 400 },
		{ .headers = { "Host: ca.example", "Host: ca.example" }, .want_status = 400 },
		{ .headers = { "Host: ca.example", "host: evil.example" }, .want_status = 400 },
		{ .headers = { "Host: ca.example:65536" }, .want_status = 400 },
		{ .headers = { "Host: ca.example:-1" }, .want_status = 400 },
		{ .headers = { "Host: ca.example:000443" }, .want_status = 400 },
		{ .headers = { "Host: ca.example/x" }, .want_status = 400 },
		{ .headers = { "Host: ca.example, evil" }, .want_status = 400 },
		{ .headers = { "Host: user@ca.example" }, .want_status = 400 },
		{ .headers = { "Host: ca.example\"" }, .want_status = 400 },
		{ .headers = { "Host: [::1" }, .want_status = 400 },
		{ .headers = { "Host: [::1]x" }, .want_status = 400 },
		{ .headers = { "Host: [ca.example]" }, .want_status = 400 },
		{ .headers = { "Host: ::1" }, .want_status = 400 },
	};
	static const struct row plain_rows[] = {
		{ .headers = { "Host: ca.example:80" }, .want_base_url = "http://ca.example" },
		{ .headers = { "Host: ca.example:443" }, .want_base_url = "http://ca.example:443" },
		{ .version = "1.0", .want_base_url = "http://[::1]:8080" },
	};
	static const struct row external_rows[] = {
		{ .headers = { "Host: other.example" }, .want_base_url = "https://ca.example" },
		{ .version = "1.0", .want_base_url = "https://ca.example" },
		{ .want_status = 400 },
		{ .headers = { "Host: a b" }, .want_status = 400 },
	};

	(void)state;
	check_rows(&any_name, rows, array_length(rows));
	check_rows(&plain, plain_rows, array_length(plain_rows));
	check_rows(&one_name, external_rows, array_length(external_rows));
}

static void lengths_of_content(void **state)
{
	static const struct row rows[] = {
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 0" } },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 12 " }, .want_length = 12 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 007" }, .want_length = 7 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 999999999999999999" }, .want_length = 999999999999999999 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: " }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: +1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: -1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 0x10" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1, 1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1 1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1.0" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1e1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1000000000000000000" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 18446744073709551617" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1", "Content-Length: 1" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Content-Length: 1", "content-length: 2" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: chunked" } },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: Chunked " } },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: chunked", "transfer-encoding: chunked" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: gzip, chunked" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: identity" }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: " }, .want_status = 400 },
		{ .method = "POST", .headers = { "Host: a", "Transfer-Encoding: chunked", "Content-Length: 1" }, .want_status = 400, .want_length = 0 },
		{ .method = "POST", .version = "1.0", .headers = { "Transfer-Encoding: chunked" }, .want_status = 400 },
	};

	(void)state;
	check_rows(&one_name, rows, array_length(rows));
}

static void headers_that_stand_once(void **state)
{
	static const struct row rows[] = {
		{ .headers = { "Host: a", "Authorization: Basic a", "authorization: Basic b" }, .want_status = 400 },
		{ .headers = { "Host: a", "Content-Type: a/b", "Content-type: a/b" }, .want_status = 400 },
		{ .headers = { "Host: a", "Accept: a/b", "Accept: c/d" } },
		{ .headers = { "Host: a", "Expect: 100-continue" } },
		{ .headers = { "Host: a", "Expect: 100-Continue" } },
		{ .headers = { "Host: a", "Expect: 200-ok" }, .want_status = 417 },
		{ .headers = { "Host: a", "Expect: 100-continue, x" }, .want_status = 417 },
		{ .version = "1.0", .headers = { "Host: a", "Expect: x" } },
	};

	(void)state;
	check_rows(&one_name, rows, array_length(rows));
}

static void values_lose_their_outer_spaces(void **state)
{
	static const struct row row = { .headers = { "Host: a", "X: b c   ", "Y:  " } };
	auto_value(problem) p = {0};
	struct request r = {0};
	struct text text;

	(void)state;
	assert_true(read_row(&one_name, &row, &text, &r, &p));
	assert_int_equal(r.http.header_count, 3);
	assert_string_equal(http_header(&r.http, "x"), "b c");
	assert_string_equal(http_header(&r.http, "y"), "");
}

static void bodies_are_judged_by_their_head(void **state)
{
	static const struct {
		enum http_method method;
		bool has_length;
		size_t length, max;
		int want_status;
	} rows[] = {
		{ HTTP_POST, true, 10, 10, 0 },
		{ HTTP_POST, true, 0, 0, 0 },
		{ HTTP_POST, true, 11, 10, 413 },
		{ HTTP_POST, true, 1, 0, 413 },
		{ HTTP_POST, false, 0, 10, 411 },
		{ HTTP_PUT, false, 0, 10, 411 },
		{ HTTP_PATCH, false, 0, 10, 411 },
		{ HTTP_DELETE, false, 0, 0, 0 },
		{ HTTP_GET, false, 0, 0, 0 },
		{ HTTP_GET, true, 0, 0, 0 },
		{ HTTP_GET, true, 1, 0, 413 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		struct request r = { .http.method = rows[i].method, .has_length = rows[i].has_length, .content_length = rows[i].length };
		assert_int_equal(request_check_body(&r, rows[i].max, &p), rows[i].want_status == 0);
		if (rows[i].want_status)
			assert_int_equal(problem_status(&p), rows[i].want_status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(versions),
		cmocka_unit_test(hosts_make_the_base_url),
		cmocka_unit_test(lengths_of_content),
		cmocka_unit_test(headers_that_stand_once),
		cmocka_unit_test(values_lose_their_outer_spaces),
		cmocka_unit_test(bodies_are_judged_by_their_head),
	};
	return cmocka_run_group_tests(tests, set_names, free_names);
}
