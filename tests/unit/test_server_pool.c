#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/pool.h"

enum { CAP = 2 };

static void hosts_are_capped(void **state)
{
	static const struct {
		const char *address;
		bool want;
	} rows[] = {
		{ "192.0.2.1", true }, { "192.0.2.2", true }, { "192.0.2.1", true }, { "192.0.2.1", false },
		/* A host of IPv6 takes what address it likes of its /64. */
		{ "2001:db8:0:1::1", true }, { "2001:db8:0:1::2", true }, { "2001:db8:0:1:ffff::3", false },
		{ "2001:db8:0:2::1", true },
		/* IPv4 in IPv6 is IPv4. */
		{ "::ffff:192.0.2.2", true }, { "::ffff:192.0.2.2", false },
	};
	const struct pool_options options = { .threads = 16, .per_address = CAP };
	struct pool_member members[array_length(rows)] = { 0 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t i = 0; i < array_length(rows); i++) {
		assert_true(addr_parse(rows[i].address, &members[i].peer));
		pool_accepted(pool);
		if (pool_enter(pool, &members[i]) != rows[i].want)
			fail_msg("%zu: %s", i, rows[i].address);
	}
	for (size_t i = 0; i < array_length(rows); i++)
		pool_leave(pool, &members[i]);
	assert_int_equal(pool_counters(pool)->open, 0);
}

static void without_a_cap_all_come_in(void **state)
{
	const struct pool_options options = { .threads = 4 };
	struct pool_member members[8] = { 0 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t i = 0; i < array_length(members); i++) {
		assert_true(addr_parse("192.0.2.1", &members[i].peer));
		pool_accepted(pool);
		assert_true(pool_enter(pool, &members[i]));
	}
	for (size_t i = 0; i < array_length(members); i++)
		pool_leave(pool, &members[i]);
}

/* Asked twice, it gives way once: who comes later finds somebody who does. */
static void giving_way_is_counted_once(void **state)
{
	const struct pool_options options = { .threads = 1 };
	struct pool_member members[4] = { 0 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t i = 0; i < array_length(members); i++)
		pool_accepted(pool);
	assert_true(pool_enter(pool, &members[0]));
	for (int i = 0; i < 3; i++)
		assert_true(pool_takes_thread(pool, &members[0]));
	pool_leave(pool, &members[0]);
	for (size_t i = 1; i < array_length(members); i++)
		assert_true(pool_enter(pool, &members[i]));
	pool_accepted(pool);
	assert_true(pool_takes_thread(pool, &members[1]));
	pool_gave_up(pool);
	for (size_t i = 1; i < array_length(members); i++)
		pool_leave(pool, &members[i]);
}

/* A call for a thread that nobody waits for any more is not heard, and is no thread less for who comes later. */
static void no_more_give_way_than_wait(void **state)
{
	const struct pool_options options = { .threads = 2 };
	struct pool_member members[2] = { 0 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t i = 0; i < array_length(members); i++) {
		pool_accepted(pool);
		assert_true(pool_enter(pool, &members[i]));
	}
	assert_false(pool_takes_thread(pool, &members[0]));
	pool_accepted(pool);
	pool_accepted(pool);
	pool_gave_up(pool);
	assert_true(pool_takes_thread(pool, &members[0]));
	assert_false(pool_takes_thread(pool, &members[1]));
	pool_accepted(pool);
	assert_true(pool_takes_thread(pool, &members[1]));
	for (size_t i = 0; i < array_length(members); i++)
		pool_leave(pool, &members[i]);
}

static void time_is_shared_among_those_that_wait(void **state)
{
	static const int64_t want[] = { 600, 600, 600, 400, 300 };
	const struct pool_options options = { .threads = 2 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t waiting = 0; waiting < array_length(want); waiting++) {
		assert_int_equal(pool_waiting(pool), waiting);
		assert_int_equal(pool_share(pool, 600), want[waiting]);
		pool_accepted(pool);
	}
}

static bool is_ringing(int bell)
{
	struct pollfd fd = { .fd = bell, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Of those that linger the one that has done so longest is called away, by who finds no thread. */
static void who_lingers_longest_is_called_away(void **state)
{
	const struct pool_options options = { .threads = 2, .parked = 8 };
	struct pool_member members[3] = { 0 };
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	for (size_t i = 0; i < 2; i++) {
		members[i].bell = eventfd(0, EFD_NONBLOCK);
		pool_accepted(pool);
		assert_true(pool_enter(pool, &members[i]));
		assert_true(pool_linger(pool, &members[i]));
	}
	assert_false(pool_is_rung(pool, &members[0])); /* it has work, and lingers again */
	assert_true(pool_linger(pool, &members[0]));
	pool_accepted(pool);
	assert_true(is_ringing(members[1].bell) && !is_ringing(members[0].bell));
	assert_true(pool_is_rung(pool, &members[1]));
	assert_false(is_ringing(members[1].bell));
	assert_false(pool_linger(pool, &members[1])); /* somebody waits still */
	assert_false(pool_is_rung(pool, &members[0]));
	pool_park(pool);
	assert_true(pool_linger(pool, &members[0])); /* the thread of the other is free */
	assert_false(pool_is_rung(pool, &members[0]));
	pool_unpark(pool);
	pool_gave_up(pool);
	members[2].bell = -1; /* cannot be called, so it does not linger */
	assert_false(pool_linger(pool, &members[2]));
	for (size_t i = 0; i < 2; i++) {
		pool_leave(pool, &members[i]);
		close(members[i].bell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_capped),
		cmocka_unit_test(without_a_cap_all_come_in),
		cmocka_unit_test(giving_way_is_counted_once),
		cmocka_unit_test(no_more_give_way_than_wait),
		cmocka_unit_test(time_is_shared_among_those_that_wait),
		cmocka_unit_test(who_lingers_longest_is_called_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
