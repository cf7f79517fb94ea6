#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/parked.h"

enum { COUNT = 4 };

struct fixture {
	struct parked *parked;
	struct parked_member members[COUNT];
	int clients[COUNT];
};

static void set_up(struct fixture *f, size_t max)
{
	auto_value(problem) p = { 0 };

	*f = (struct fixture){ 0 };
	assert_true(parked_new(max, &f->parked, &p));
	for (size_t i = 0; i < COUNT; i++) {
		int pair[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		f->members[i] = (struct parked_member){ .fd = pair[0], .deadline = INT64_MAX };
		f->clients[i] = pair[1];
	}
}

static void tear_down(struct fixture *f)
{
	for (size_t i = 0; i < COUNT; i++) {
		close(f->members[i].fd);
		close(f->clients[i]);
	}
	parked_free(f->parked);
}

static void put(struct fixture *f, size_t i)
{
	struct parked_member *evicted;

	assert_true(parked_put(f->parked, &f->members[i], &evicted));
	assert_null(evicted);
}

static bool is_readable(const struct parked *parked, int timeout_ms)
{
	struct pollfd fd = { .fd = parked_fd(parked), .events = POLLIN };

	return poll(&fd, 1, timeout_ms) == 1;
}

static void say(struct fixture *f, size_t i)
{
	assert_int_equal(write(f->clients[i], "x", 1), 1);
}

static void who_speaks_is_called_once(void **state)
{
	struct parked_member *called[PARKED_BATCH];
	struct fixture f;

	(void)state;
	set_up(&f, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		put(&f, i);
	assert_false(is_readable(f.parked, 0));
	assert_int_equal(parked_call(f.parked, called), 0);
	say(&f, 2);
	assert_true(is_readable(f.parked, 0));
	assert_null(parked_take(f.parked, f.members[2].fd)); /* not called yet */
	assert_int_equal(parked_call(f.parked, called), 1);
	assert_ptr_equal(called[0], &f.members[2]);
	assert_false(is_readable(f.parked, 0)); /* though it has not been read */
	assert_null(parked_take(f.parked, f.members[1].fd));
	assert_ptr_equal(parked_take(f.parked, f.members[2].fd), &f.members[2]);
	assert_null(parked_take(f.parked, f.members[2].fd));
	put(&f, 2); /* unread: it speaks at once */
	assert_int_equal(parked_call(f.parked, called), 1);
	assert_ptr_equal(parked_take(f.parked, -1), &f.members[2]);
	assert_int_equal(parked_take_overdue(f.parked, INT64_MAX, called), COUNT - 1);
	tear_down(&f);
}

static void the_end_of_a_client_is_a_word(void **state)
{
	struct parked_member *called[PARKED_BATCH];
	struct fixture f;

	(void)state;
	set_up(&f, COUNT);
	put(&f, 0);
	shutdown(f.clients[0], SHUT_WR);
	assert_int_equal(parked_call(f.parked, called), 1);
	assert_ptr_equal(parked_take(f.parked, -1), &f.members[0]);
	tear_down(&f);
}

static void deadlines_are_told_and_kept(void **state)
{
	struct parked_member *overdue[PARKED_BATCH];
	int64_t now = clock_monotonic_ms();
	struct fixture f;

	(void)state;
	set_up(&f, COUNT);
	f.members[0].deadline = now + 60000;
	f.members[1].deadline = now + 40; /* a later one's comes first */
	f.members[2].deadline = now + 20;
	for (size_t i = 0; i < 3; i++)
		put(&f, i);
	assert_int_equal(parked_take_overdue(f.parked, now, overdue), 0);
	assert_true(is_readable(f.parked, 5000));
	assert_int_equal(parked_take_overdue(f.parked, now + 30, overdue), 1);
	assert_ptr_equal(overdue[0], &f.members[2]);
	assert_true(is_readable(f.parked, 5000));
	assert_int_equal(parked_take_overdue(f.parked, now + 50, overdue), 1);
	assert_ptr_equal(overdue[0], &f.members[1]);
	assert_false(is_readable(f.parked, 50)); /* the timer is set for the first, in a minute */
	say(&f, 2);
	assert_false(is_readable(f.parked, 0)); /* who was taken is not looked after any more */
	assert_int_equal(parked_take_overdue(f.parked, INT64_MAX, overdue), 1);
	tear_down(&f);
}

static void the_longest_leaves_where_there_is_no_room(void **state)
{
	struct parked_member *overdue[PARKED_BATCH], *evicted;
	struct fixture f;

	(void)state;
	set_up(&f, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(parked_has_room(f.parked, PARKED_SERVED, 0));
		put(&f, i);
	}
	assert_false(parked_has_room(f.parked, PARKED_SERVED, 2000));
	put(&f, 2); /* it saw room before; nobody has been here for long */
	assert_true(parked_has_room(f.parked, PARKED_SERVED, 2001));
	f.members[3].since = 2001;
	assert_true(parked_put(f.parked, &f.members[3], &evicted));
	assert_ptr_equal(evicted, &f.members[0]);
	say(&f, 0);
	assert_false(is_readable(f.parked, 0));
	assert_int_equal(parked_count(f.parked, PARKED_SERVED), 3);
	assert_int_equal(parked_take_overdue(f.parked, INT64_MAX, overdue), 3);
	tear_down(&f);
	set_up(&f, 0);
	assert_false(parked_put(f.parked, &f.members[0], &evicted));
	tear_down(&f);
}

static void each_kind_has_room_of_its_own(void **state)
{
	struct parked_member *overdue[PARKED_BATCH], *evicted;
	struct fixture f;

	(void)state;
	set_up(&f, 8);
	f.members[0].kind = f.members[1].kind = PARKED_BEGUN;
	f.members[2].kind = PARKED_SILENT;
	put(&f, 0);
	put(&f, 2);
	put(&f, 3);
	assert_int_equal(parked_count(f.parked, PARKED_SILENT), 1);
	assert_false(parked_has_room(f.parked, PARKED_BEGUN, 2000));
	assert_true(parked_has_room(f.parked, PARKED_BEGUN, 2001));
	parked_finish(f.parked, 1000); /* one of them got through: so may those that are here */
	assert_false(parked_has_room(f.parked, PARKED_BEGUN, 3000));
	assert_true(parked_has_room(f.parked, PARKED_BEGUN, 3001));
	assert_true(parked_has_room(f.parked, PARKED_SILENT, 0) && parked_has_room(f.parked, PARKED_SERVED, 0));
	f.members[1].since = 3001;
	assert_true(parked_put(f.parked, &f.members[1], &evicted));
	assert_ptr_equal(evicted, &f.members[0]);
	assert_int_equal(parked_take_overdue(f.parked, INT64_MAX, overdue), 3);
	tear_down(&f);
}

static void closed_it_takes_nobody(void **state)
{
	struct parked_member *overdue[PARKED_BATCH], *evicted;
	struct fixture f;

	(void)state;
	set_up(&f, COUNT);
	put(&f, 0);
	parked_close(f.parked);
	assert_false(parked_put(f.parked, &f.members[1], &evicted));
	assert_null(evicted);
	assert_int_equal(parked_take_overdue(f.parked, INT64_MAX, overdue), 1);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_speaks_is_called_once),
		cmocka_unit_test(the_end_of_a_client_is_a_word),
		cmocka_unit_test(deadlines_are_told_and_kept),
		cmocka_unit_test(the_longest_leaves_where_there_is_no_room),
		cmocka_unit_test(each_kind_has_room_of_its_own),
		cmocka_unit_test(closed_it_takes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
