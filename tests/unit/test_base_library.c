#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/library.h"

#define GOOD_CALLS(X) X(length, strlen) X(compare, strcmp)
static struct { GOOD_CALLS(LIBRARY_FIELD) } lib;
static const struct library_call good[] = { GOOD_CALLS(LIBRARY_ROW) };
static const struct library_call bad[] = { GOOD_CALLS(LIBRARY_ROW) { "enrolld_no_such_call", &lib.length } };

static int set_ups;
static bool fails;

static bool set_up(struct problem *p)
{
	set_ups++;
	return !fails || problem_internal(p, "not in the mood");
}

static void what_is_loaded_can_be_called(void **state)
{
	static struct library library = LIBRARY("libc.so.6", good, set_up);
	auto_value(problem) p = {0};

	(void)state;
	set_ups = 0;
	fails = true;
	assert_true(library_check(&library, &p));
	assert_int_equal(set_ups, 0); /* looked at, and not begun */
	assert_null(lib.length);
	assert_false(library_load(&library, &p));
	assert_string_equal(p.cause, "not in the mood");
	fails = false;
	assert_true(library_load(&library, &p)); /* what failed is tried again */
	assert_true(library_load(&library, &p));
	assert_int_equal(set_ups, 2);
	assert_int_equal(lib.length("enrolld"), 7);
	assert_int_equal(lib.compare("a", "a"), 0);
}

static void what_is_missing_is_named(void **state)
{
	static struct library rows[] = {
		LIBRARY("libenrolld-no-such.so.1", good, NULL),
		LIBRARY("libc.so.6", bad, NULL),
	};
	static const char *const want[] = { "libenrolld-no-such.so.1", "libc.so.6 has no enrolld_no_such_call" };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0}, q = {0};

		assert_false(library_check(&rows[i], &p));
		assert_int_equal(p.kind, PROBLEM_INTERNAL);
		assert_non_null(strstr(p.cause, want[i]));
		assert_false(library_load(&rows[i], &q));
		assert_string_equal(p.cause, q.cause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_can_be_called),
		cmocka_unit_test(what_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
