#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/acceptor.h"
#include "server/parked.h"

static const struct pool_options options = { .threads = 1, .parked = 4, .queue = 16 };

static bool may_park(struct pool *pool, int fd)
{
	struct parked_member member = { .fd = fd, .deadline = INT64_MAX }, *evicted;
	bool put = parked_put(pool_parked(pool), &member, &evicted);

	if (put)
		shutdown(fd, SHUT_RDWR);
	for (struct parked_member *overdue[PARKED_BATCH]; put && parked_take_overdue(pool_parked(pool), INT64_MAX, overdue);)
		assert_ptr_equal(overdue[0], &member);
	return put;
}

/* Nothing more may be parked once the server drains, also when that was said while the thread that accepts was not
 * waiting: the next wait is not woken by it. */
static void what_is_parked_ends_when_draining_was_said_between_two_waits(void **state)
{
	auto_struct(pool) *pool = NULL;
	auto_value(problem) p = { 0 };
	struct pollfd listening = { .events = POLLIN };
	int pair[2], other[2];

	(void)state;
	assert_true(pool_new(&options, &pool, &p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	listening.fd = pair[0];
	assert_int_equal(acceptor_wait(pool, &listening, 1, 0), 0);
	assert_true(may_park(pool, other[0]));
	pool_drain(pool);
	assert_int_equal(acceptor_wait(pool, &listening, 1, 0), 0);
	assert_false(may_park(pool, other[1]));
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(other[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_parked_ends_when_draining_was_said_between_two_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
