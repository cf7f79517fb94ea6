#include "policy/star.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { DAY = 86400 };
static const int64_t start = 1547078400; /* 2019-01-10T00:00:00Z */

/* RFC 8739, 3.5.1 */
static void the_table_of_the_rfc(void **state)
{
	const struct profile profile = { .backdate = 60 };
	struct order_star star = { .lifetime = 4 * DAY, .start = start, .end = start + 10 * DAY, .adjust = 3 * DAY };
	struct star_dates d;

	(void)state;
	star_first(&profile, &star, start, &d);
	assert_int_equal(d.not_before, start);
	assert_int_equal(d.not_after, start + 4 * DAY);
	star.first = start;
	star.count = 1;
	assert_int_equal(star_due(&star), start + DAY);
	assert_false(star_next(&star, start + DAY - 1, &d));
	assert_true(star_next(&star, start + DAY, &d));
	assert_int_equal(d.number, 1);
	assert_int_equal(d.not_before, start + DAY);
	assert_int_equal(d.not_after, start + 8 * DAY);
	star.count = 2;
	assert_int_equal(star_due(&star), start + 5 * DAY);
	assert_false(star_next(&star, start + 5 * DAY - 1, &d));
	assert_true(star_next(&star, start + 5 * DAY, &d));
	assert_int_equal(d.not_before, start + 5 * DAY);
	assert_int_equal(d.not_after, start + 10 * DAY);
	star.count = 3;
	assert_int_equal(star_due(&star), 0);
	assert_false(star_next(&star, start + 9 * DAY, &d));
}

/* 3.3: the next one is there before half of the current one's life is over, whatever the client asks for. */
static void the_next_is_there_by_half(void **state)
{
	static const int64_t adjusts[] = { 0, 1, 499, 500, 999, 1000, 5000 };

	(void)state;
	for (size_t i = 0; i < array_length(adjusts); i++) {
		struct order_star star = { .lifetime = 1000, .end = start + 100000, .adjust = adjusts[i], .first = start, .count = 1 };
		struct star_dates d;
		assert_true(star_due(&star) <= start + 500 && star_due(&star) >= start);
		assert_true(star_next(&star, star_due(&star), &d));
		assert_true(d.not_before <= star_due(&star));
		assert_int_equal(d.not_after, start + 2000);
	}
}

static void what_was_missed_is_left_out(void **state)
{
	struct order_star star = { .lifetime = 1000, .end = start + 100000, .first = start, .count = 1 };
	struct star_dates d;

	(void)state;
	assert_true(star_next(&star, start + 50500, &d));
	assert_int_equal(d.number, 51);
	assert_true(d.not_before <= start + 50500 && d.not_after > start + 50500);
	assert_false(star_next(&star, start + 100000, &d));
}

static void the_first_is_backdated_where_no_start_was_asked_for(void **state)
{
	const struct profile profile = { .backdate = 60 };
	struct order_star star = { .lifetime = 1000, .end = start + 300 };
	struct star_dates d;

	(void)state;
	star_first(&profile, &star, start, &d);
	assert_int_equal(d.not_before, start - 60);
	assert_int_equal(d.not_after, start + 300);
	star.start = start + 100;
	star_first(&profile, &star, start, &d);
	assert_int_equal(d.not_before, start + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_the_rfc), cmocka_unit_test(the_next_is_there_by_half),
		cmocka_unit_test(what_was_missed_is_left_out), cmocka_unit_test(the_first_is_backdated_where_no_start_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
