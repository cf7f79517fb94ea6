/* Values of options that several commands know. */
#include "admin/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { STAYS = 77, NOW = 1800000000 };

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t min, want; /* -1: refused */
	} rows[] = {
		{ NULL, 1, STAYS }, { "1", 1, 1 }, { "0", 0, 0 }, { "0", 1, -1 }, { "4", 5, -1 }, { "5", 5, 5 }, { "007", 1, 7 },
		{ "9223372036854775807", 1, INT64_MAX }, { "9223372036854775808", 1, -1 }, { "", 0, -1 }, { "x", 0, -1 },
		{ "1x", 1, -1 }, { "1 ", 1, -1 }, { " 1", 1, -1 }, { "+1", 1, -1 }, { "-1", 0, -1 }, { "1.5", 1, -1 }, { "0x10", 1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		int64_t got = STAYS;
		bool read = option_number("--uses", rows[i].text, rows[i].min, &got, &p);
		if (read != (rows[i].want >= 0) || got != (read ? rows[i].want : STAYS))
			fail_msg("%zu: %lld", i, (long long)got);
		if (!read)
			assert_non_null(strstr(p.detail, "--uses: expected a number from "));
	}
}

static void times_to_come(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = {
		{ NULL, STAYS }, { "1s", NOW + 1 }, { "30d", NOW + 30 * 86400 }, { "2027-01-15T08:00:01Z", NOW + 1 },
		{ "2027-01-15T08:00:00Z", -1 }, { "0s", -1 }, { "-1d", -1 }, { "never", -1 }, { "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		int64_t got = STAYS;
		bool read = option_expires(rows[i].text, NOW, &got, &p);
		if (read != (rows[i].want >= 0) || (read && got != rows[i].want))
			fail_msg("%zu: %lld", i, (long long)got);
	}
}

static void names_are_patterns(void **state)
{
	static const struct {
		const char *text;
		size_t want;
		const char *refused; /* NULL: taken */
	} rows[] = {
		{ NULL, 0, NULL }, { "dns:a.example", 1, NULL }, { "dns:**.a.example,ip:10.0.0.0/8", 2, NULL },
		{ "dns:a.example,dns:a.example,", 1, NULL }, { "a.example", 0, "--name: a.example: expected a pattern such as" },
		{ "dns:a.example,cn:x", 0, "--name: cn:x: " }, { "dns:a..b", 0, "a..b" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		auto_value(strings) names = {0};
		assert_int_equal(option_names(rows[i].text, &names, &p), !rows[i].refused);
		if (!rows[i].refused)
			assert_int_equal(names.n, rows[i].want);
		else if (!strstr(p.detail, rows[i].refused))
			fail_msg("%s", p.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(times_to_come),
		cmocka_unit_test(names_are_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
