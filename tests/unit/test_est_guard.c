#include "est/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct addr address(unsigned i)
{
	struct addr a = { .family = AF_INET, .byte = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } };

	return a;
}

static bool allows(struct guard *guard, unsigned from, const char *user)
{
	const struct addr a = address(from);
	auto_value(problem) p = {0};
	bool allowed = guard_allows(guard, &a, user, &p);

	if (!allowed)
		assert_true(p.kind == PROBLEM_RATE_LIMITED && p.retry_after >= 1);
	return allowed;
}

static enum problem_kind guess(struct guard *guard, unsigned from, const char *user)
{
	const struct addr a = address(from);
	auto_value(problem) p = {0};

	problem_set(&p, PROBLEM_UNAUTHENTICATED, "wrong");
	assert_false(guard_failed(guard, &a, user, &p));
	return p.kind;
}

static void test_address(void **state)
{
	auto_struct(guard) *guard = NULL;
	auto_value(problem) p = {0};

	(void)state;
	assert_true(guard_open(&guard, &p));
	for (int i = 0; i < 20; i++)
		assert_int_equal(guess(guard, 1, NULL), PROBLEM_UNAUTHENTICATED);
	assert_int_equal(guess(guard, 1, NULL), PROBLEM_RATE_LIMITED);
	assert_false(allows(guard, 1, "ada"));
	assert_true(allows(guard, 2, "ada"));
}

/* Of strangers so many a host leave something to be kept. */
static void test_strangers(void **state)
{
	auto_struct(guard) *guard = NULL;
	auto_value(problem) p = {0};
	struct addr hosts[3];

	(void)state;
	assert_true(guard_open(&guard, &p));
	assert_true(addr_parse("2001:db8::1", &hosts[0]) && addr_parse("2001:db8::2", &hosts[1]) && addr_parse("2001:db8:0:1::1", &hosts[2]));
	for (int i = 0; i < 100; i++)
		assert_true(guard_keeps(guard, &hosts[i % 2], &p));
	assert_false(guard_keeps(guard, &hosts[1], &p));
	assert_int_equal(p.kind, PROBLEM_RATE_LIMITED);
	assert_true(p.retry_after >= 1);
	assert_true(guard_keeps(guard, &hosts[2], &p));
	assert_true(allows(guard, 1, "ada"));
}

/* Many addresses guess at one user: strangers wait, who was right before does not, and other users are not concerned. */
static void test_user(void **state)
{
	auto_struct(guard) *guard = NULL;
	auto_value(problem) p = {0};
	const struct addr home = address(9999);

	(void)state;
	assert_true(guard_open(&guard, &p));
	guard_passed(guard, &home, "ada");
	for (unsigned i = 0; i < 150; i++)
		(void)guess(guard, i, "ada");
	assert_false(allows(guard, 5000, "ada"));
	assert_int_equal(guess(guard, 5001, "ada"), PROBLEM_RATE_LIMITED);
	assert_true(allows(guard, 9999, "ada"));
	assert_int_equal(guess(guard, 9999, "ada"), PROBLEM_UNAUTHENTICATED);
	assert_true(allows(guard, 5000, "grace"));
}

/* One client has a /64 of IPv6 to wander in. */
static void test_network(void **state)
{
	auto_struct(guard) *guard = NULL;
	auto_value(problem) p = {0};
	struct addr a = { .family = AF_INET6, .byte = { 0x20, 1, 0xd, 0xb8 } };

	(void)state;
	assert_true(guard_open(&guard, &p));
	for (uint8_t i = 0; i < 25; i++) {
		a.byte[15] = i;
		(void)guard_failed(guard, &a, NULL, &p);
	}
	assert_false(guard_allows(guard, &a, "ada", &p));
	a.byte[7] = 1;
	problem_done(&p);
	assert_true(guard_allows(guard, &a, "ada", &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address), cmocka_unit_test(test_strangers), cmocka_unit_test(test_user), cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
