#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/http.h"
#include "server/head.h"

#define END "\r\n\r\n"

static struct head feed(struct bytes text)
{
	struct head head = {0};

	head_feed(&head, text.data, text.len);
	return head;
}

static void heads_that_are_whole(void **state)
{
	static const struct {
		const char *text;
		unsigned want_lines;
	} rows[] = {
		{ "GET / HTTP/1.1" END, 0 },
		{ "GET / HTTP/1.1\r\nHost: a" END, 1 },
		{ "GET / HTTP/1.0\r\nHost:a\r\nX:" END, 2 },
		{ "\r\nPOST /a?b=%20 HTTP/1.1\r\nHost:   a  " END, 1 },
		{ "M-SEARCH * HTTP/9.9\r\n!#$%&'*+-.^_`|~09Az: \x80\xff\"" END, 1 },
		{ "GET http://a.example:80/x HTTP/1.1\r\nA: b\r\nA: b" END, 2 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct head head = feed(BYTES_STR(rows[i].text));
		assert_null(head.fault);
		assert_true(head_is_whole(&head));
		assert_int_equal(head.lines, rows[i].want_lines);
		assert_int_equal(head.length, strlen(rows[i].text));
	}
}

static void heads_that_are_refused(void **state)
{
	static const char *const rows[] = {
		"\n",                                /* a bare LF is no empty line */
		"\r\r",
		"\r\n\r\n",                          /* one empty line before a request, not two */
		"\r\n\r\nGET / HTTP/1.1" END,
		" GET / HTTP/1.1" END,
		"\tGET / HTTP/1.1" END,
		"GE(T / HTTP/1.1" END,
		"GET\t/ HTTP/1.1" END,
		"GET  / HTTP/1.1" END,
		"GET /  HTTP/1.1" END,
		"GET / x HTTP/1.1" END,
		"GET /\x80 HTTP/1.1" END,
		"GET /\x7f HTTP/1.1" END,
		"GET /a\tb HTTP/1.1" END,
		"GET /\r\n",                         /* HTTP/0.9 */
		"GET / \r\n",
		"GET / HTTP/1.1 \r\n",
		"GET / http/1.1\r\n",
		"GET / HTTP/1.10\r\n",
		"GET / HTTP/11\r\n",
		"GET / HTTP/a.1\r\n",
		"GET / HTTP/1.1\n",
		"GET / HTTP/1.1\r ",
		"GET / HTTP/1.1\rHost: a",
		"GET / HTTP/1.1\r\n Host: a" END,    /* folded into the request line */
		"GET / HTTP/1.1\r\nHost: a\r\n b" END,
		"GET / HTTP/1.1\r\nHost: a\r\n\tb" END,
		"GET / HTTP/1.1\r\nHost : a" END,
		"GET / HTTP/1.1\r\nHost\t: a" END,
		"GET / HTTP/1.1\r\n: a" END,
		"GET / HTTP/1.1\r\nHost" END,
		"GET / HTTP/1.1\r\nHo st: a" END,
		"GET / HTTP/1.1\r\nH\xc3\xb6st: a" END,
		"GET / HTTP/1.1\r\nHost: a\n",
		"GET / HTTP/1.1\r\nHost: a\rb" END,
		"GET / HTTP/1.1\r\nHost: a\r\r\n",
		"GET / HTTP/1.1\r\nHost: a\x01" END,
		"GET / HTTP/1.1\r\nHost:\ta" END,
		"GET / HTTP/1.1\r\nHost: a\x7f" END,
		"GET / HTTP/1.1\r\nHost: a\r\n\rX",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct head head = feed(BYTES_STR(rows[i]));
		if (!head.fault)
			fail_msg("row %zu was taken: %s", i, rows[i]);
		assert_false(head_is_whole(&head));
		assert_int_equal(head.kind, PROBLEM_MALFORMED);
	}
	struct head nul = feed(BYTES("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29));
	assert_non_null(nul.fault);
}

static void the_end_is_where_the_empty_line_is(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET\n";
	struct head head = feed(BYTES_STR(text));

	(void)state;
	assert_true(head_is_whole(&head));
	assert_int_equal(head.length, strlen("POST / HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void pieces_are_as_good_as_the_whole(void **state)
{
	static const char text[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	struct head head = {0};

	(void)state;
	for (size_t i = 0; i < strlen(text); i++) {
		assert_false(head_is_whole(&head));
		head_feed(&head, (const uint8_t *)text + i, 1);
	}
	assert_true(head_is_whole(&head));
	assert_int_equal(head.length, strlen(text));
}

static void the_sixty_fifth_header_is_one_too_many(void **state)
{
	for (unsigned lines = HTTP_HEADERS_MAX; lines <= HTTP_HEADERS_MAX + 1; lines++) {
		auto_value(buf) text = {0};
		buf_add_str(&text, "GET / HTTP/1.1\r\n");
		for (unsigned i = 0; i < lines; i++)
			buf_printf(&text, "X%u: 1\r\n", i);
		buf_add_str(&text, "\r\n");
		struct head head = feed(buf_bytes(&text));
		assert_int_equal(head_is_whole(&head), lines == HTTP_HEADERS_MAX);
		assert_int_equal(head.kind, lines == HTTP_HEADERS_MAX ? PROBLEM_NONE : PROBLEM_HEADERS_TOO_LARGE);
	}
	(void)state;
}

static void a_head_has_an_end(void **state)
{
	for (size_t spare = 0; spare <= 1; spare++) {
		auto_value(buf) text = {0};
		buf_add_str(&text, "GET / HTTP/1.1\r\nX: ");
		while (text.len < HEAD_SIZE_MAX - 4 + spare)
			buf_add_char(&text, 'x');
		buf_add_str(&text, "\r\n\r\n");
		struct head head = feed(buf_bytes(&text));
		assert_int_equal(head_is_whole(&head), spare == 0);
		assert_int_equal(head.kind, spare == 0 ? PROBLEM_NONE : PROBLEM_HEADERS_TOO_LARGE);
		assert_int_equal(head.length, HEAD_SIZE_MAX);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_that_are_whole),
		cmocka_unit_test(heads_that_are_refused),
		cmocka_unit_test(the_end_is_where_the_empty_line_is),
		cmocka_unit_test(pieces_are_as_good_as_the_whole),
		cmocka_unit_test(a_head_has_an_end),
		cmocka_unit_test(the_sixty_fifth_header_is_one_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
