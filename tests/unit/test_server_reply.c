#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "server/reply.h"

/* The head without its Date, which is checked for its form. */
static void check_head(const struct http_response *response, struct reply_options options, const char *want, bool want_content)
{
	auto_value(buf) head = {0}, rest = {0};

	assert_true(reply_head(response, &options, &head));
	char *date = strstr(buf_text(&head), "Date: ");
	assert_non_null(date);
	assert_memory_equal(date + 31, " GMT\r\n", 6);
	buf_add(&rest, head.data, (size_t)(date - (char *)head.data));
	buf_add_str(&rest, date + 37);
	assert_string_equal(buf_text(&rest), want);
	assert_int_equal(reply_has_content(response, &options), want_content);
}

static void heads(void **state)
{
	static const struct {
		int status;
		const char *type, *body, *header;
		struct reply_options options;
		const char *want;
		bool want_content;
	} rows[] = {
		{ 200, "text/plain", "hey", NULL, { .keep_alive = true },
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n", true },
		{ 200, "text/plain", "hey", NULL, { .keep_alive = true, .head = true },
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n", false },
		{ 200, "text/plain", "", NULL, { .keep_alive = true },
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n", false },
		{ 200, NULL, "lost", NULL, { .keep_alive = true }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false },
		{ 201, NULL, "", "/x", { 0 }, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\nLocation: /x\r\n\r\n", false },
		{ 204, "text/plain", "lost", NULL, { .keep_alive = true }, "HTTP/1.1 204 No Content\r\n\r\n", false },
		{ 304, NULL, "", NULL, { .keep_alive = true }, "HTTP/1.1 304 Not Modified\r\n\r\n", false },
		{ 404, NULL, "", NULL, { .keep_alive = true, .http10 = true },
		  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false },
		{ 404, NULL, "", NULL, { .http10 = true },
		  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false },
		{ 599, NULL, "", NULL, { .keep_alive = true }, "HTTP/1.1 599 Unnamed\r\nContent-Length: 0\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(http_response) response = { .status = rows[i].status, .content_type = rows[i].type };
		buf_add_str(&response.body, rows[i].body);
		if (rows[i].header)
			http_response_header(&response, "Location", rows[i].header);
		check_head(&response, rows[i].options, rows[i].want, rows[i].want_content);
	}
}

static void a_response_without_memory_is_no_reply(void **state)
{
	auto_value(http_response) response = { .status = 200 };
	auto_value(buf) head = {0};

	(void)state;
	response.body.failed = true;
	assert_false(reply_head(&response, &(struct reply_options){0}, &head));
	response.body.failed = false;
	response.headers.failed = true;
	assert_false(reply_head(&response, &(struct reply_options){0}, &head));
}

static void problems_without_a_wing(void **state)
{
	auto_value(problem) p = {0};
	auto_value(http_response) response = {0};

	(void)state;
	problem_unavailable(&p, 7, "secret cause");
	reply_problem(&p, &response);
	assert_int_equal(response.status, 503);
	assert_string_equal(response.content_type, "application/problem+json");
	assert_string_equal(buf_text(&response.headers), "Retry-After: 7\r\n");
	auto_struct(json) *body = NULL;
	assert_true(json_parse(buf_bytes(&response.body), &body, &p));
	assert_string_equal(json_member_string(body, "type"), "about:blank");
	assert_string_equal(json_member_string(body, "title"), "Service Unavailable");
	assert_string_equal(json_member_string(body, "detail"), problem_text(&p));
	assert_null(strstr(buf_text(&response.body), "secret"));
	http_response_clear(&response);
	assert_int_equal(response.headers.len + response.body.len, 0);
	assert_null(response.content_type);
}

static void problems_bring_their_headers(void **state)
{
	auto_value(problem) p = {0};
	auto_value(http_response) response = {0};

	(void)state;
	problem_set(&p, PROBLEM_CONFLICT, "an account has this key");
	snprintf(p.location, sizeof(p.location), "https://ca.example/account/1");
	snprintf(p.link, sizeof(p.link), "<https://ca.example/terms>;rel=\"terms-of-service\"");
	reply_problem(&p, &response);
	assert_string_equal(buf_text(&response.headers),
	                    "Location: https://ca.example/account/1\r\n"
	                    "Link: <https://ca.example/terms>;rel=\"terms-of-service\"\r\n");
	http_response_clear(&response);
}

static void no_more(void *keep)
{
	(void)keep;
}

static void shared_content_is_counted(void **state)
{
	auto_value(http_response) response = { .status = 200, .content_type = "application/pkix-crl" };
	const struct reply_options options = { .keep_alive = true }, head = { .head = true, .keep_alive = true };
	auto_value(buf) out = {0};

	(void)state;
	http_response_share(&response, BYTES_STR("1234567"), no_more, NULL);
	assert_true(reply_head(&response, &options, &out));
	assert_non_null(strstr(buf_text(&out), "\r\nContent-Length: 7\r\n"));
	assert_true(reply_has_content(&response, &options));
	assert_false(reply_has_content(&response, &head));
}

static void every_kind_of_problem_has_a_reason(void **state)
{
	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KIND_MAX; kind++) {
		struct problem p = { .kind = (enum problem_kind)kind };
		assert_string_not_equal(reply_reason(problem_status(&p)), "Unnamed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(a_response_without_memory_is_no_reply),
		cmocka_unit_test(problems_without_a_wing),
		cmocka_unit_test(problems_bring_their_headers),
		cmocka_unit_test(shared_content_is_counted),
		cmocka_unit_test(every_kind_of_problem_has_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
