#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/http.h"

static void methods_have_names(void **state)
{
	static const char *const others[] = { "", "get", "Get", "GETS", "GE", "TRACE", "CONNECT", "OTHER" };

	(void)state;
	for (int m = HTTP_GET; m < HTTP_METHOD_OTHER; m++)
		assert_int_equal(http_method_from(http_method_name((enum http_method)m)), m);
	assert_int_equal(http_method_from("POST"), HTTP_POST);
	for (size_t i = 0; i < array_length(others); i++)
		assert_int_equal(http_method_from(others[i]), HTTP_METHOD_OTHER);
	assert_string_equal(http_method_name(HTTP_METHOD_OTHER), "OTHER");
}

static void headers_are_found_in_any_case(void **state)
{
	static const struct http_header headers[] = { { "Host", "a" }, { "X-Empty", "" }, { "host", "b" } };
	struct http_request r = { .headers = headers, .header_count = array_length(headers) };

	(void)state;
	assert_string_equal(http_header(&r, "hOST"), "a");
	assert_string_equal(http_header(&r, "x-empty"), "");
	assert_null(http_header(&r, "Hos"));
	assert_null(http_header(&r, "Hostt"));
	r.header_count = 0;
	assert_null(http_header(&r, "Host"));
}

static void media_types_match(void **state)
{
	static const struct {
		const char *value;
		bool want;
	} rows[] = {
		{ "application/jose+json", true },
		{ "Application/JOSE+json", true },
		{ "application/jose+json;charset=utf-8", true },
		{ "application/jose+json ; charset=utf-8", true },
		{ " \tapplication/jose+json\t", true },
		{ "application/jose", false },
		{ "application/jose+jsonx", false },
		{ "application/jose+json x", false },
		{ "application/jose+json, text/html", false },
		{ "text/html; application/jose+json", false },
		{ "xapplication/jose+json", false },
		{ "", false },
		{ ";", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct http_header header = { "Content-Type", rows[i].value };
		struct http_request r = { .headers = &header, .header_count = 1 };
		assert_int_equal(http_is_type(&r, "application/jose+json"), rows[i].want);
	}
	struct http_request none = {0};
	assert_false(http_is_type(&none, "application/jose+json"));
}

static void query_values_are_decoded(void **state)
{
	static const struct {
		const char *query, *want; /* NULL: none */
	} rows[] = {
		{ "a=1", "1" }, { "b=2&a=1", "1" }, { "a=1&a=2", "1" }, { "a=", "" }, { "&&a=1&", "1" }, { "a=b=c", "b=c" },
		{ "a=%41%2f%26%2B", "A/&+" }, { "a=x+y", "x y" }, { "a=%c3%BC", "\xc3\xbc" }, { "a=%0a", "\n" },
		{ "", NULL }, { "a", NULL }, { "aa=1", NULL }, { "b=a=1", NULL }, { "A=1", NULL }, { "b&a", NULL },
		{ "a=%", NULL }, { "a=%4", NULL }, { "a=%4&b=1", NULL }, { "a=%zz", NULL }, { "a=%00", NULL }, { "a=x%00y", NULL },
		{ "a=%+1", NULL }, { "a=% 1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) ret = {0};
		struct http_request r = { .query = rows[i].query };
		buf_add_str(&ret, ">");
		assert_int_equal(http_query(&r, "a", &ret), rows[i].want != NULL);
		assert_string_equal(buf_text(&ret) + 1, rows[i].want ?: "");
	}
}

static void response_headers_are_lines(void **state)
{
	auto_value(http_response) r = {0};

	(void)state;
	http_response_header(&r, "Replay-Nonce", "abc");
	http_response_header(&r, "X-Percent", "100%s");
	http_response_header_printf(&r, "Link", "<%s>;rel=\"%s\"", "https://a", "up");
	assert_string_equal(buf_text(&r.headers), "Replay-Nonce: abc\r\nX-Percent: 100%s\r\nLink: <https://a>;rel=\"up\"\r\n");
	buf_add_str(&r.body, "x");
	http_response_free(&r);
	assert_int_equal(r.headers.len + r.body.len, 0);
}

struct header_row {
	const char *name, *value;
};

/* Runs in a child, for the call is a bug of ours and must end the process. */
static bool aborts(const struct header_row *row)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct http_response r = {0};
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		http_response_header_printf(&r, row->name, "%s", row->value);
		http_response_free(&r);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void split_headers_are_our_bug(void **state)
{
	static const struct {
		struct header_row row;
		bool want;
	} rows[] = {
		{ { "Link", "plain" }, false },
		{ { "Link", "a\r\nSet-Cookie: b" }, true },
		{ { "Link", "a\n" }, true },
		{ { "Link", "\r" }, true },
		{ { "Li nk", "a" }, true },
		{ { "Link:", "a" }, true },
		{ { "", "a" }, true },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(aborts(&rows[i].row), rows[i].want);
}

static void count_done(void *keep)
{
	++*(int *)keep;
}

/* What is shared takes the body's place, and is let go of once, whatever ends it. */
static void shared_content(void **state)
{
	struct http_response r = { .status = 200, .content_type = "text/plain" };
	int first = 0, second = 0, third = 0;

	(void)state;
	buf_add_str(&r.body, "the body");
	assert_true(bytes_equal(http_response_content(&r), BYTES_STR("the body")));
	http_response_share(&r, BYTES_STR("first"), count_done, &first);
	assert_true(bytes_equal(http_response_content(&r), BYTES_STR("first")));
	http_response_share(&r, BYTES_STR("second"), count_done, &second);
	assert_true(bytes_equal(http_response_content(&r), BYTES_STR("second")));
	assert_int_equal(first, 1);
	http_response_clear(&r);
	assert_int_equal(second, 1);
	assert_int_equal(http_response_content(&r).len + r.status, 0);
	assert_null(r.content_type);
	http_response_share(&r, BYTES_STR("third"), count_done, &third);
	http_response_free(&r);
	assert_int_equal(third, 1);
	assert_int_equal(first + second, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_have_names),
		cmocka_unit_test(headers_are_found_in_any_case),
		cmocka_unit_test(media_types_match),
		cmocka_unit_test(query_values_are_decoded),
		cmocka_unit_test(response_headers_are_lines),
		cmocka_unit_test(split_headers_are_our_bug),
		cmocka_unit_test(shared_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
