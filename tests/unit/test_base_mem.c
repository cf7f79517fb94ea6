#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void steal_leaves_null(void **state)
{
	char text[] = "x", *p = text;

	(void)state;
	assert_ptr_equal(steal(p), text);
	assert_null(p);
}

static int opened;

static void open_and_leave(void)
{
	auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_fd int none = -1;

	assert_true(fd >= 0 && none == -1);
	opened = fd;
}

static void auto_fd_closes(void **state)
{
	(void)state;
	open_and_leave();
	assert_int_equal(fcntl(opened, F_GETFD), -1);
}

static void wipe_overwrites(void **state)
{
	char secret[] = "secret";

	(void)state;
	mem_wipe(secret, sizeof(secret));
	for (size_t i = 0; i < sizeof(secret); i++)
		assert_int_equal(secret[i], 0);
	mem_wipe(NULL, 0);
}

static void printf_makes_a_string(void **state)
{
	auto_free char *text = mem_printf("%s-%d", "a", 7);

	(void)state;
	assert_string_equal(text, "a-7");
}

static void equal_secret_sees_each_byte(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_true(mem_equal_secret(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(mem_equal_secret(a, b, sizeof(a)));
		b[i] = 0;
	}
}

static void starts_and_ends(void **state)
{
	static const struct {
		const char *text, *part;
		bool want_starts, want_ends;
	} rows[] = {
		{ "abcab", "ab", true, true },
		{ "abc", "abc", true, true },
		{ "abc", "", true, true },
		{ "", "", true, true },
		{ "abc", "abcd", false, false },
		{ "abc", "zabc", false, false },
		{ "abc", "c", false, true },
		{ "abc", "A", false, false },
		{ "", "a", false, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		assert_int_equal(str_starts(rows[i].text, rows[i].part), rows[i].want_starts);
		assert_int_equal(str_ends(rows[i].text, rows[i].part), rows[i].want_ends);
	}
}

/* The well-formed sequences of RFC 3629, 4, at their edges, and what is beside them. */
static void utf8_is_as_rfc3629_says(void **state)
{
	static const struct {
		const char *text;
		size_t len, want;
	} rows[] = {
		{ "", 0, 0 },
		{ "a", 1, 1 },
		{ "\0", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xbf", 1, 0 },
		{ "\xc0\x80", 2, 0 },
		{ "\xc1\xbf", 2, 0 },
		{ "\xc2\x80", 2, 2 },
		{ "\xdf\xbf", 2, 2 },
		{ "\xc2", 1, 0 },
		{ "\xc2\x41", 2, 0 },
		{ "\xc2\xc2", 2, 0 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xee\x80\x80", 3, 3 },
		{ "\xef\xbf\xbf", 3, 3 },
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x82\x41", 3, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xf0\x90\x80", 3, 0 },
		{ "\xff", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(str_utf8(rows[i].text, rows[i].len), rows[i].want);
}

static void strings_own_their_copies(void **state)
{
	auto_value(strings) list = {0}, copy = {0};
	char text[] = "one";

	(void)state;
	assert_false(strings_has(&list, "one"));
	assert_true(strings_add(&list, text));
	text[0] = 'X';
	assert_true(strings_add(&list, "two"));
	assert_int_equal(list.n, 2);
	assert_true(strings_has(&list, "one") && strings_has(&list, "two"));
	assert_false(strings_has(&list, "Xne") || strings_has(&list, "ONE"));

	assert_true(strings_copy(&list, &copy));
	strings_free(&list);
	assert_int_equal(list.n, 0);
	assert_int_equal(copy.n, 2);
	assert_string_equal(copy.v[1], "two");
}

static void decimal_is_what_printf_writes(void **state)
{
	const uint64_t numbers[] = { 0, 1, 9, 10, 99, 100, 65535, 10000000000, UINT64_MAX };
	char digits[STR_DECIMAL_SIZE], want[32];

	(void)state;
	for (size_t i = 0; i < array_length(numbers); i++) {
		snprintf(want, sizeof(want), "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(str_decimal(numbers[i], digits), want);
	}
}

static void join_ends_with_its_room(void **state)
{
	char text[8];

	(void)state;
	str_join(text, sizeof(text), "ab", "", "cd", NULL);
	assert_string_equal(text, "abcd");
	str_join(text, sizeof(text), "abcdef", "g", NULL);
	assert_string_equal(text, "abcdefg");
	str_join(text, sizeof(text), "abc", "defgh", "i", NULL);
	assert_string_equal(text, "abcdefg");
	memset(text, 'x', sizeof(text));
	str_join(text, 1, "a", NULL);
	assert_memory_equal(text, "\0xxxxxxx", sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steal_leaves_null),
		cmocka_unit_test(auto_fd_closes),
		cmocka_unit_test(wipe_overwrites),
		cmocka_unit_test(printf_makes_a_string),
		cmocka_unit_test(equal_secret_sees_each_byte),
		cmocka_unit_test(starts_and_ends),
		cmocka_unit_test(utf8_is_as_rfc3629_says),
		cmocka_unit_test(strings_own_their_copies),
		cmocka_unit_test(decimal_is_what_printf_writes),
		cmocka_unit_test(join_ends_with_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
