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
static const uint8_t one[SHA256_SIZE] = { 1 }, two[SHA256_SIZE] = { 2 };

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

static enum claim_result take(struct claims *claims, const char *order, const uint8_t *digest, int64_t wait_ms)
{
	auto_value(problem) p = {0};
	enum claim_result result;

	assert_true(claim_take(claims, order, digest, wait_ms, &result, &p));
	return result;
}

static void one_has_it(void **state)
{
	struct claims *claims = *state;

	assert_false(claim_held(claims, A));
	assert_int_equal(take(claims, A, one, 0), CLAIM_TAKEN);
	assert_true(claim_held(claims, A));
	assert_false(claim_held(claims, B));
	assert_int_equal(take(claims, A, one, 0), CLAIM_BUSY_SAME);
	assert_int_equal(take(claims, A, two, 0), CLAIM_BUSY);
	assert_int_equal(take(claims, B, two, 0), CLAIM_TAKEN);
	claim_release(claims, A);
	assert_false(claim_held(claims, A));
	assert_true(claim_held(claims, B));
	assert_int_equal(take(claims, A, two, 0), CLAIM_TAKEN);
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

	assert_int_equal(take(claims, A, one, 0), CLAIM_TAKEN);
	assert_int_equal(pthread_create(&thread, NULL, release_later, claims), 0);
	assert_int_equal(take(claims, A, two, 5000), CLAIM_TAKEN);
	assert_in_range(clock_monotonic_ms() - began, 90, 4000);
	pthread_join(thread, NULL);
	began = clock_monotonic_ms();
	assert_int_equal(take(claims, A, two, 120), CLAIM_BUSY_SAME);
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
