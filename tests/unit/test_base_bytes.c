#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each block can be looked at when it is freed. */
static bool secret_left;

static void checked_free(void *p)
{
	if (p && memmem(p, malloc_usable_size(p), "SECRET", 6))
		secret_left = true;
	free(p);
}
#define free checked_free
#include "base/bytes.c"
#undef free

static void empty_buffer_has_a_text(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_bytes(&b).len, 0);
	assert_true(buf_check(&b, &p));
	buf_add(&b, NULL, 0);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
}

static void appends_come_in_order(void **state)
{
	auto_value(buf) b = {0};

	(void)state;
	buf_add(&b, "ab", 2);
	buf_add_str(&b, "cd");
	buf_add_char(&b, 'e');
	buf_printf(&b, "%d%s", 12, "f");
	assert_string_equal(buf_text(&b), "abcde12f");
	assert_int_equal(b.len, 8);
	buf_add_strs(&b, "g", "", "hi", NULL);
	buf_add_decimal(&b, 0);
	buf_add_decimal(&b, 907);
	assert_string_equal(buf_text(&b), "abcde12fghi0907");
	buf_shorten(&b, 2);
	assert_string_equal(buf_text(&b), "ab");
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
}

/* Each length around the growth steps, by each way of adding; the NUL always follows. */
static void growth_keeps_the_bytes(void **state)
{
	(void)state;
	for (size_t len = 0; len < 600; len++) {
		auto_value(buf) by_char = {0}, by_block = {0}, by_format = {0};
		char text[600];
		for (size_t i = 0; i < len; i++)
			buf_add_char(&by_char, text[i] = (char)('a' + i % 26));
		text[len] = '\0';
		buf_add(&by_block, text, len);
		buf_printf(&by_format, "%s", text);
		assert_string_equal(buf_text(&by_char), text);
		assert_string_equal(buf_text(&by_block), text);
		assert_string_equal(buf_text(&by_format), text);
		assert_true(bytes_equal(buf_bytes(&by_char), buf_bytes(&by_format)));
	}
}

static void failure_is_sticky_and_bounded(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	buf_add_str(&b, "ab");
	assert_null(buf_extend(&b, BUF_MAX - 1));
	assert_true(b.failed);
	buf_add_str(&b, "cd");
	buf_printf(&b, "ef");
	assert_int_equal(b.len, 2);
	assert_false(buf_check(&b, &p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_null(buf_take(&b, NULL));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_false(b.failed);
	assert_null(buf_extend(&b, SIZE_MAX));
	buf_clear(&b);
	assert_non_null(buf_extend(&b, BUF_MAX));
	buf_add_char(&b, 'x');
	assert_true(b.failed);
}

static void take_hands_over(void **state)
{
	struct buf b = {0};
	size_t len = 7;

	(void)state;
	auto_free char *none = buf_take(&b, &len);
	assert_string_equal(none, "");
	assert_int_equal(len, 0);
	buf_add_str(&b, "ab");
	auto_free char *text = buf_take(&b, &len);
	assert_string_equal(text, "ab");
	assert_int_equal(len, 2);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void secrets_are_wiped(void **state)
{
	struct buf b = {0};

	(void)state;
	secret_left = false;
	buf_add_str(&b, "SECRET");
	while (b.len < 5000)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "SECRET");
	buf_clear(&b);
	buf_add_str(&b, "x");
	buf_free(&b);
	assert_false(secret_left);
}

static void bytes_are_compared(void **state)
{
	(void)state;
	assert_true(bytes_equal(BYTES_STR("ab"), BYTES("ab", 2)));
	assert_true(bytes_equal(BYTES(NULL, 0), BYTES_STR("")));
	assert_false(bytes_equal(BYTES_STR("ab"), BYTES_STR("ac")));
	assert_false(bytes_equal(BYTES_STR("ab"), BYTES_STR("a")));
	assert_int_equal(bytes_compare(BYTES_STR("ab"), BYTES_STR("ab")), 0);
	assert_int_equal(bytes_compare(BYTES(NULL, 0), BYTES_STR("")), 0);
	assert_true(bytes_compare(BYTES_STR("ab"), BYTES_STR("b")) < 0);
	assert_true(bytes_compare(BYTES_STR("ab"), BYTES_STR("a")) > 0);
	assert_true(bytes_compare(BYTES_STR("\xff"), BYTES_STR("a")) > 0);
	assert_true(bytes_start(BYTES_STR("ab"), BYTES_STR("a")) && bytes_start(BYTES_STR("ab"), BYTES(NULL, 0)));
	assert_false(bytes_start(BYTES_STR("ab"), BYTES_STR("b")) || bytes_start(BYTES_STR("a"), BYTES_STR("ab")));
}

static void bytes_are_taken(void **state)
{
	struct bytes rest = BYTES_STR("abc"), first = {0};

	(void)state;
	assert_true(bytes_take(&rest, 2, &first));
	assert_true(bytes_equal(first, BYTES_STR("ab")) && bytes_equal(rest, BYTES_STR("c")));
	assert_false(bytes_take(&rest, 2, &first));
	assert_true(bytes_equal(rest, BYTES_STR("c")));
}

static void texts_and_numbers_are_taken(void **state)
{
	static const struct {
		const char *text;
		bool want;
		uint64_t number;
		const char *rest;
	} rows[] = {
		{ "seq:12,", true, 12, "," }, { "seq:0", true, 0, "" }, { "seq:007x", true, 7, "x" }, { "seq:", false, 0, "" },
		{ "seq:-1", false, 0, "" }, { "sex:1", false, 0, "" }, { "se", false, 0, "" }, { "", false, 0, "" },
		{ "seq:18446744073709551615", true, UINT64_C(1844674407370955161), "5" }, /* no more than that is read of it */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct bytes rest = BYTES_STR(rows[i].text);
		uint64_t number = 0;
		if ((bytes_take_text(&rest, "seq:") && bytes_take_decimal(&rest, &number)) != rows[i].want)
			fail_msg("%s", rows[i].text);
		if (rows[i].want)
			assert_true(number == rows[i].number && bytes_equal(rest, BYTES_STR(rows[i].rest)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffer_has_a_text),
		cmocka_unit_test(appends_come_in_order),
		cmocka_unit_test(growth_keeps_the_bytes),
		cmocka_unit_test(failure_is_sticky_and_bounded),
		cmocka_unit_test(take_hands_over),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(bytes_are_compared),
		cmocka_unit_test(bytes_are_taken),
		cmocka_unit_test(texts_and_numbers_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
