/* What becomes of a webhook after each try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/webhook_outcome.h"
#include "store/webhook.h"
#include "tests/unit/audit_reader.h"

#define ID "webhook0000000000000AA"
enum { NOW = 1800000000 };

static const struct webhook_options options = { .retry_first = 8, .retry_max = 100, .give_up = 1000 };
static struct store *store;

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_webhook_put(txn, arg, p);
}

static int setup(void **state)
{
	static const uint8_t seal_key[32];
	struct webhook row = { .id = ID, .url = "https://hooks.example/secret", .cursor = 5 };
	struct kv *kv = NULL;
	struct problem p = {0};

	(void)state;
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) && store_update(store, put, &row, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void record(uint64_t seq, bool delivered, int64_t now)
{
	const struct webhook_outcome outcome = {
		.seq = seq, .delivered = delivered, .answer = { .status = delivered ? 204 : 500 }, .error = delivered ? NULL : "500", .now = now,
	};
	auto_value(problem) p = {0};

	if (!webhook_outcome_record(store, &options, ID, &outcome, &p))
		fail_msg("%s", problem_cause(&p));
}

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_webhook_get(txn, ID, arg, p);
}

static struct webhook now(void)
{
	struct webhook row = {0};
	auto_value(problem) p = {0};

	assert_true(store_view(store, get, &row, &p));
	return row;
}

static void what_is_delivered_moves_the_cursor_on(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	record(7, false, NOW);
	record(7, true, NOW + 1);
	auto_value(webhook) row = now();
	assert_int_equal(row.cursor, 7);
	assert_int_equal(row.delivered, 1);
	assert_true(row.attempts == 0 && row.failing == 0 && row.next_try == 0 && row.stopped == 0);
	/* Neither what an operator has skipped meanwhile nor what was not wanted leads back. */
	record(6, true, NOW + 2);
	assert_true(webhook_pass(store, ID, 3, &p));
	auto_value(webhook) same = now();
	assert_int_equal(same.cursor, 7);
	assert_true(webhook_pass(store, ID, 9, &p));
	auto_value(webhook) on = now();
	assert_int_equal(on.cursor, 9);
}

static void what_fails_is_given_up_in_the_end(void **state)
{
	(void)state;
	record(6, false, NOW);
	record(6, false, NOW + options.give_up - 1);
	auto_value(webhook) failing = now();
	assert_true(failing.failing == NOW && failing.attempts == 2 && failing.stopped == 0 && failing.cursor == 5);
	assert_true(failing.next_try > NOW + options.give_up - 1);
	assert_int_equal(audit_count(store, AUDIT_WEBHOOK_STOPPED), 0);
	record(6, false, NOW + options.give_up);
	auto_value(webhook) stopped = now();
	assert_int_equal(stopped.stopped, NOW + options.give_up);
	assert_int_equal(audit_count(store, AUDIT_WEBHOOK_STOPPED), 1);
	auto_struct(json) *event = audit_newest(store, AUDIT_WEBHOOK_STOPPED);
	assert_string_equal(audit_says(event, "webhook"), ID);
	assert_null(strstr(audit_says(event, "place"), "secret"));
}

static void the_last_ten_tries_are_kept(void **state)
{
	(void)state;
	for (int i = 1; i <= 13; i++) {
		record(6, false, NOW + i);
		auto_value(webhook) row = now();
		const struct webhook_try *tries = row.tries.v;
		assert_int_equal(row.tries.n, i < 10 ? i : 10);
		for (size_t k = 0; k < row.tries.n; k++)
			assert_int_equal(tries[k].time, NOW + i - (int)k);
		assert_int_equal(tries[0].status, 500);
		assert_string_equal(tries[0].error, "500");
	}
}

static void one_that_is_gone_is_no_fault(void **state)
{
	const struct webhook_outcome outcome = { .seq = 6, .delivered = true, .now = NOW };
	auto_value(problem) p = {0};

	(void)state;
	assert_true(webhook_outcome_record(store, &options, "webhook0000000000000AB", &outcome, &p));
	assert_true(webhook_pass(store, "webhook0000000000000AB", 9, &p));
	assert_false(problem_is_set(&p));
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(what_is_delivered_moves_the_cursor_on), EACH(what_fails_is_given_up_in_the_end),
		EACH(the_last_ten_tries_are_kept), EACH(one_that_is_gone_is_no_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
