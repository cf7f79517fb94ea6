#include "server/chunked.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX = 20 };

/* As the server reads: never more than is wanted. Returns the bytes that were read. */
static size_t read_all(struct bytes text, size_t step, struct buf *ret, bool *ret_whole, struct problem *p)
{
	struct chunked chunked = {0};
	size_t at = 0, n;

	*ret_whole = false;
	while ((n = chunked_wants(&chunked)) > 0 && at < text.len) {
		n = n < step ? n : step;
		n = n < text.len - at ? n : text.len - at;
		if (!chunked_feed(&chunked, BYTES(text.data + at, n), MAX, ret, p))
			return at;
		at += n;
	}
	*ret_whole = n == 0;
	return at;
}

static void content_that_is_read(void **state)
{
	static const struct { const char *text, *want; size_t rest; } rows[] = {
		{ "0\r\n\r\n", "", 0 },
		{ "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
		{ "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1", "hello", 14 },
		{ "00000005\r\nhello\r\n000\r\n\r\n", "hello", 0 },
		{ "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0 },
		{ "2\r\n\r\n\r\n1\r\n0\r\n0\r\n\r\n", "\r\n0", 0 },
		{ "5;a=b;c=\"d\"\r\nhello\r\n0 ;x\r\n\r\n", "hello", 0 },
		{ "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\nX", "hello", 1 },
	};

	(void)state;
	for (size_t i = 0; i < 2 * array_length(rows); i++) {
		struct bytes text = BYTES_STR(rows[i / 2].text);
		auto_value(buf) content = {0};
		auto_value(problem) p = {0};
		bool whole;
		size_t used = read_all(text, i % 2 ? 1 : SIZE_MAX, &content, &whole, &p);
		assert_true(whole);
		assert_string_equal(buf_text(&content), rows[i / 2].want);
		assert_int_equal(text.len - used, rows[i / 2].rest);
	}
}

static void content_that_is_refused(void **state)
{
	static const char *const rows[] = {
		"\r\n", " 5\r\nhello\r\n", "+5\r\nhello\r\n", "-1\r\n", "0x5\r\nhello\r\n", "g\r\n", ";a\r\n", "5\nhello\n0\n\n",
		"5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\rhello", "5;\x01\r\nhello\r\n", "5\r\nhello\r\n\r\n",
		"000000005\r\nhello\r\n", "FFFFFFFFFFFFFFFFF\r\n", "0\r\nX\x01: y\r\n\r\n", "0\r\n\n", "0\r\nX: y\n\r\n", "5\r\nhello\r\n0\r\nX: a\r\r\n",
		"5\r\nhelloX\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) content = {0};
		auto_value(problem) p = {0};
		bool whole;
		read_all(BYTES_STR(rows[i]), SIZE_MAX, &content, &whole, &p);
		if (whole || p.kind != PROBLEM_MALFORMED)
			fail_msg("row %zu: %s", i, problem_text(&p));
	}
}

static void content_that_is_too_long(void **state)
{
	static const char *const rows[] = { "15\r\n", "FFFFFFFF\r\n", "a\r\n0123456789\r\nb\r\n", "14\r\n01234567890123456789\r\n1\r\n" };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) content = {0};
		auto_value(problem) p = {0};
		bool whole;
		read_all(BYTES_STR(rows[i]), SIZE_MAX, &content, &whole, &p);
		assert_int_equal(p.kind, PROBLEM_TOO_LARGE);
		assert_true(content.len <= MAX);
	}
}

static void framing_is_bounded(void **state)
{
	struct chunked chunked = {0};
	auto_value(buf) content = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(chunked_feed(&chunked, BYTES_STR("1;"), MAX, &content, &p));
	for (size_t i = 2; i < CHUNKED_FRAMING_MAX; i++)
		assert_true(chunked_feed(&chunked, BYTES_STR("x"), MAX, &content, &p));
	assert_false(chunked_feed(&chunked, BYTES_STR("x"), MAX, &content, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_that_is_read),
		cmocka_unit_test(content_that_is_refused),
		cmocka_unit_test(content_that_is_too_long),
		cmocka_unit_test(framing_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
