#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "acme/probe_queue.h"

enum { THREADS = 8 };

static struct probe *add(struct probe_queue *q, const char *account, const char *target, int64_t due)
{
	static unsigned number;
	char id[32];
	auto_value(problem) p = {0};
	struct probe *probe = NULL;

	snprintf(id, sizeof(id), "authorization-%u", number++);
	const struct probe_request request = { .authorization = id, .challenge = "http-01", .account = account, .target = target };
	assert_true(probe_queue_add(q, &request, due, &probe, &p));
	return probe;
}

static void flood(struct probe_queue *q, int accounts, int each)
{
	for (int a = 0; a < accounts; a++)
		for (int i = 0; i < each; i++) {
			char account[32], target[32];

			snprintf(account, sizeof(account), "flood%d", a);
			snprintf(target, sizeof(target), "t%d.a%d.example", i, a);
			add(q, account, target, 0);
		}
}

static size_t take_all(struct probe_queue *q, struct probe *ret[THREADS], int64_t now)
{
	size_t n = 0;

	while ((ret[n] = probe_queue_take(q, now)))
		n++;
	return n;
}

static int setup(void **state)
{
	static struct probe_queue queue;
	auto_value(problem) p = {0};

	*state = &queue;
	return probe_queue_open(THREADS, 1000, &queue, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	probe_queue_close(*state);
	return 0;
}

/* Nobody is known: a quarter of the threads stays free for those who will be. */
static void strangers_leave_a_quarter(void **state)
{
	struct probe_queue *q = *state;
	struct probe *running[THREADS + 1];

	flood(q, 10, 10);
	assert_int_equal(take_all(q, running, 0), 6);
	/* one each: whose turn is the longest ago */
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(running[i]->account, running[k]->account);
}

static void who_is_known_goes_beside_the_flood(void **state)
{
	struct probe_queue *q = *state;
	struct probe *running[THREADS + 1], *mine;

	mine = add(q, "good", "good.example", 0);
	assert_ptr_equal(probe_queue_take(q, 0), mine);
	probe_queue_done(q, mine, true, 100);
	probe_queue_end(q, mine);
	flood(q, 10, 10);
	assert_int_equal(take_all(q, running, 200), 6);
	mine = add(q, "good", "more.example", 300);
	assert_ptr_equal(probe_queue_take(q, 300), mine);
}

/* After a second each that runs lets us wait, and after its end its account has. */
static void who_lets_us_wait_has_half(void **state)
{
	struct probe_queue *q = *state;
	struct probe *running[THREADS + 1], *stranger;
	size_t n, more;

	flood(q, 10, 10);
	n = take_all(q, running, 0);
	for (size_t i = 0; i < n; i++) {
		probe_queue_done(q, running[i], false, 10000);
		running[i]->tries++;
		running[i]->due = 99999;
	}
	/* four accounts of the flood are left of whom nothing is known yet */
	more = take_all(q, running, 10000);
	assert_int_equal(more, 6);
	for (size_t i = 0; i < more; i++) {
		probe_queue_done(q, running[i], false, 20000);
		running[i]->tries++;
		running[i]->due = 99999;
	}
	assert_int_equal(take_all(q, running, 20000), THREADS / 2);
	stranger = add(q, "stranger", "stranger.example", 20001);
	assert_ptr_equal(probe_queue_take(q, 20001), stranger);
}

static void one_account_has_half(void **state)
{
	struct probe_queue *q = *state;
	struct probe *running[THREADS + 1];

	flood(q, 1, 20);
	assert_int_equal(take_all(q, running, 0), THREADS / 2);
	assert_non_null(add(q, "other", "other.example", 0));
	assert_int_equal(take_all(q, running, 0), 1);
}

static void one_target_has_half(void **state)
{
	struct probe_queue *q = *state;
	struct probe *running[THREADS + 1];
	char account[32];

	for (int i = 0; i < 20; i++) {
		snprintf(account, sizeof(account), "account%d", i);
		add(q, account, "same.example", 0);
	}
	assert_int_equal(take_all(q, running, 0), THREADS / 2);
}

static void slowness_is_forgotten(void **state)
{
	struct probe_history h;
	auto_value(problem) p = {0};

	(void)state;
	assert_true(probe_history_open(&h, &p));
	assert_int_equal(probe_history_class(&h, "a", 0), PROBE_NEW);
	probe_history_note(&h, "a", false, 900, 1000);
	assert_int_equal(probe_history_class(&h, "a", 1000), PROBE_NEW);
	probe_history_note(&h, "a", true, 5000, 2000); /* slow, but it was there */
	assert_int_equal(probe_history_class(&h, "a", 2000), PROBE_KNOWN);
	probe_history_note(&h, "a", false, 1000, 3000);
	assert_int_equal(probe_history_class(&h, "a", 3000), PROBE_SLOW);
	assert_int_equal(probe_history_class(&h, "a", 63000), PROBE_KNOWN);
	assert_int_equal(probe_history_class(&h, "b", 3000), PROBE_NEW);
	probe_history_close(&h);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(strangers_leave_a_quarter),
		test(who_is_known_goes_beside_the_flood),
		test(who_lets_us_wait_has_half),
		test(one_account_has_half),
		test(one_target_has_half),
		cmocka_unit_test(slowness_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
