#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"

/* The file itself, with a clock that stands still until it is moved. */
static _Atomic int64_t now_ms = 1000000;
#define clock_monotonic_ms() now_ms
#include "base/limit.c"
#undef clock_monotonic_ms

static struct limit *make(unsigned burst, unsigned period, size_t keys_max)
{
	auto_value(problem) p = {0};
	struct limit *l = NULL;

	assert_true(limit_new(burst, period, keys_max, &l, &p));
	return l;
}

/* 0: taken; else the seconds to wait. */
static int take(struct limit *l, const char *key)
{
	int wait = 0;

	if (limit_take(l, key, &wait)) {
		assert_int_equal(wait, 0);
		return 0;
	}
	assert_true(wait > 0);
	return wait;
}

static void burst_then_one_each_interval(void **state)
{
	auto_struct(limit) *l = make(5, 50, 10);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(take(l, "a"), 0);
	assert_int_equal(take(l, "a"), 10);
	assert_int_equal(take(l, "b"), 0); /* another key, another bucket */
	now_ms += 9001;
	assert_int_equal(take(l, "a"), 1); /* what was refused cost nothing */
	now_ms += 998;
	assert_int_equal(take(l, "a"), 1);
	now_ms += 1;
	assert_int_equal(take(l, "a"), 0);
	assert_int_equal(take(l, "a"), 10);
	now_ms += 25000;
	assert_int_equal(take(l, "a"), 0);
	assert_int_equal(take(l, "a"), 0);
	assert_int_equal(take(l, "a"), 5);
	now_ms += 1000000; /* never more than the burst */
	for (int i = 0; i < 5; i++)
		assert_int_equal(take(l, "a"), 0);
	assert_int_equal(take(l, "a"), 10);
}

static void bursts_are_exact(void **state)
{
	static const struct {
		unsigned burst, period;
		int want_wait;
	} rows[] = {
		{ 1, 1, 1 }, { 1, 3600, 3600 }, { 3, 1, 1 }, { 7, 100, 15 }, { 1000, 1, 1 }, { 99999, 7, 1 }, { 3, UINT_MAX, 1431655765 },
		{ 1, UINT_MAX, INT_MAX },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(limit) *l = make(rows[i].burst, rows[i].period, 2);
		for (unsigned n = 0; n < rows[i].burst; n++)
			if (take(l, "a") != 0)
				fail_msg("row %zu refuses token %u", i, n);
		assert_int_equal(take(l, "a"), rows[i].want_wait);
	}
}

static void without_burst_there_is_no_limit(void **state)
{
	auto_struct(limit) *l = make(0, 0, 1);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(l, "a"), 0);
	limit_free(NULL);
}

static void period_is_a_second_or_more(void **state)
{
	auto_value(problem) p = {0};
	struct limit *l = NULL;

	(void)state;
	assert_false(limit_new(1, 0, 10, &l, &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	assert_null(l);
}

static void keys_are_told_apart(void **state)
{
	auto_struct(limit) *l = make(1, 60, 100);
	char key[600];

	(void)state;
	for (size_t len = 0; len < sizeof(key); len += 50) { /* each a beginning of the next */
		memset(key, 'k', len);
		key[len] = '\0';
		assert_int_equal(take(l, key), 0);
		assert_int_equal(take(l, key), 60);
	}
	key[0] = 'K';
	assert_int_equal(take(l, key), 0);
}

static void flood_does_not_free_a_busy_key(void **state)
{
	enum { KEYS = 16 };
	auto_struct(limit) *l = make(10, 100, KEYS);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(take(l, "busy"), 0);
	for (int i = 0; i < 5000; i++) {
		char key[16];
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(take(l, key), 0);
		if (i % 100 == 0)
			assert_true(take(l, "busy") > 0);
	}
	assert_int_equal(take(l, "busy"), 10);
	assert_int_equal(l->count, KEYS);
}

static void assert_in_order(const struct limit *l)
{
	int32_t chained = 0;

	for (int32_t place = 0; place < l->count; place++) {
		assert_int_equal(l->buckets[l->heap[place]].place, place);
		if (place > 0)
			assert_true(l->buckets[l->heap[(place - 1) / 2]].full_at <= l->buckets[l->heap[place]].full_at);
	}
	for (int32_t c = 0; c < l->count_max; c++)
		for (int32_t i = l->chains[c]; i != NONE; i = l->buckets[i].next)
			chained++;
	assert_int_equal(chained, l->count);
}

/* A table with room for every key does exactly as the model; one without stays in order. */
static void behaves_as_the_model(void **state)
{
	enum { KEYS = 40, BURST = 4, PERIOD = 8 };
	auto_struct(limit) *large = make(BURST, PERIOD, KEYS), *small = make(BURST, PERIOD, 7);
	int64_t model[KEYS] = {0}; /* full_at, milliseconds */
	uint32_t random = 1;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		random = random * 1664525 + 1013904223;
		unsigned n = (random >> 16) % KEYS;
		char key[16];
		snprintf(key, sizeof(key), "key %u", n);
		now_ms += random >> 26;
		int64_t full_at = (model[n] > now_ms ? model[n] : now_ms) + PERIOD * 1000 / BURST;
		bool want = full_at - now_ms <= PERIOD * 1000;
		if (want)
			model[n] = full_at;
		assert_int_equal(take(large, key) == 0, want);
		take(small, key);
		if (step % 500 == 0) {
			assert_in_order(large);
			assert_in_order(small);
		}
	}
	assert_int_equal(small->count, 7);
}

static atomic_int taken_by_all;

static void *take_many(void *arg)
{
	for (int i = 0; i < 500; i++) {
		char key[16];
		int wait;
		snprintf(key, sizeof(key), "%d", i);
		if (limit_take(arg, "shared", &wait))
			atomic_fetch_add(&taken_by_all, 1);
		if (limit_take(arg, key, &wait))
			continue;
	}
	return NULL;
}

static void threads_share_the_tokens(void **state)
{
	auto_struct(limit) *l = make(100, 3600, 600);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < array_length(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, l), 0);
	for (size_t i = 0; i < array_length(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(taken_by_all, 100);
	assert_in_order(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_one_each_interval),
		cmocka_unit_test(bursts_are_exact),
		cmocka_unit_test(without_burst_there_is_no_limit),
		cmocka_unit_test(period_is_a_second_or_more),
		cmocka_unit_test(keys_are_told_apart),
		cmocka_unit_test(flood_does_not_free_a_busy_key),
		cmocka_unit_test(behaves_as_the_model),
		cmocka_unit_test(threads_share_the_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
