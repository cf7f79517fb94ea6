#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "acme/claim.h"
#include "base/clock.h"

static const char *const A = "AAAAAAAAAAAAAAAAAAAAAA", *const B = "BBBBBBBBBBBBBBBBBBBBBB";

static int setup(void **state)
{
	auto_value(problem) p = {0};
	struct claims *claims;

	if (!claims_open(&claims, &p))
		return -1;
	*state = claims;
	return 0;
}

static int teardown(void **state)
{
	claims_close(*state);
	return 0;
}

static bool take(struct claims *claims, const char *order, int64_t wait_ms)
{
	auto_value(problem) p = {0};
	bool taken;

	assert_true(claim_take(claims, order, wait_ms, &taken, &p));
	return taken;
}

static void one_has_it(void **state)
{
	struct claims *claims = *state;

	assert_false(claim_held(claims, A));
	assert_true(take(claims, A, 0));
	assert_true(claim_held(claims, A));
	assert_false(claim_held(claims, B));
	assert_false(take(claims, A, 0));
	assert_true(take(claims, B, 0));
	claim_release(claims, A);
	assert_false(claim_held(claims, A));
	assert_true(claim_held(claims, B));
	assert_true(take(claims, A, 0));
	claim_release(claims, B);
	claim_release(claims, A);
}

static void *release_later(void *arg)
{
	usleep(100 * 1000);
	claim_release(arg, A);
	return NULL;
}

static void the_next_waits_for_it(void **state)
{
	struct claims *claims = *state;
	int64_t began = clock_monotonic_ms();
	pthread_t thread;

	assert_true(take(claims, A, 0));
	assert_int_equal(pthread_create(&thread, NULL, release_later, claims), 0);
	assert_true(take(claims, A, 5000));
	assert_in_range(clock_monotonic_ms() - began, 90, 4000);
	pthread_join(thread, NULL);
	began = clock_monotonic_ms();
	assert_false(take(claims, A, 120));
	assert_in_range(clock_monotonic_ms() - began, 110, 4000);
	claim_release(claims, A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_waits_for_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
