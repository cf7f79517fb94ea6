#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <sched.h>

#include <cmocka.h>

#include "base/idle.h"

enum { THREADS = 4 };

/* Each thread waits once and says when it was called. */
static struct {
	pthread_mutex_t mutex;
	struct idle idle;
	unsigned waiting, called;
	unsigned order[THREADS];
} room = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void *wait_once(void *arg)
{
	pthread_mutex_lock(&room.mutex);
	room.waiting++;
	idle_wait(&room.idle, &room.mutex, NULL);
	room.order[room.called++] = *(unsigned *)arg;
	pthread_mutex_unlock(&room.mutex);
	return NULL;
}

static unsigned read_locked(const unsigned *n)
{
	pthread_mutex_lock(&room.mutex);
	unsigned now = *n;
	pthread_mutex_unlock(&room.mutex);
	return now;
}

static void wait_until(const unsigned *n, unsigned wanted)
{
	while (read_locked(n) < wanted)
		sched_yield();
}

/* One after the other, so that it is known who came last. */
static void begin(pthread_t threads[THREADS], unsigned numbers[THREADS])
{
	room.waiting = room.called = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, wait_once, &numbers[i]), 0);
		wait_until(&room.waiting, i + 1);
	}
}

static void end(const pthread_t threads[THREADS])
{
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(LIST_EMPTY(&room.idle));
	assert_int_equal(room.called, THREADS);
}

static void last_is_called_first(void **state)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];

	(void)state;
	begin(threads, numbers);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_mutex_lock(&room.mutex);
		struct idle_thread *thread = idle_take(&room.idle);
		pthread_mutex_unlock(&room.mutex);
		assert_non_null(thread);
		idle_call(thread);
		wait_until(&room.called, i + 1);
		assert_int_equal(room.order[i], THREADS - 1 - i);
	}
	end(threads);
}

static void all_are_called(void **state)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];

	(void)state;
	begin(threads, numbers);
	pthread_mutex_lock(&room.mutex);
	idle_call_all(&room.idle);
	assert_null(idle_take(&room.idle));
	idle_call(NULL);
	pthread_mutex_unlock(&room.mutex);
	end(threads);
}

static struct timespec in_ns(long ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ns;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void waits_for_a_moment_at_most(void **state)
{
	struct timespec until = in_ns(20000000), now;

	(void)state;
	pthread_mutex_lock(&room.mutex);
	idle_wait(&room.idle, &room.mutex, &until);
	assert_null(idle_take(&room.idle));
	pthread_mutex_unlock(&room.mutex);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
}

static bool over;

static void *wait_shortly(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		struct timespec until = in_ns(i % 7 * 1000);
		pthread_mutex_lock(&room.mutex);
		idle_wait(&room.idle, &room.mutex, &until);
		pthread_mutex_unlock(&room.mutex);
	}
	pthread_mutex_lock(&room.mutex);
	over = true;
	pthread_mutex_unlock(&room.mutex);
	return NULL;
}

/* Taken just as its moment has come, a thread waits for its call before it leaves. */
static void call_and_moment_may_meet(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_shortly, NULL), 0);
	for (bool ended = false; !ended;) {
		pthread_mutex_lock(&room.mutex);
		struct idle_thread *taken = idle_take(&room.idle);
		ended = over;
		pthread_mutex_unlock(&room.mutex);
		idle_call(taken);
	}
	pthread_join(thread, NULL);
	assert_true(LIST_EMPTY(&room.idle));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_is_called_first),
		cmocka_unit_test(all_are_called),
		cmocka_unit_test(waits_for_a_moment_at_most),
		cmocka_unit_test(call_and_moment_may_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
