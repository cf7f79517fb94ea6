#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/work.h"

static struct work *open_work(unsigned threads, size_t queue_max)
{
	auto_value(problem) p = {0};
	struct work *w = NULL;

	assert_true(work_open("test", threads, queue_max, &w, &p));
	return w;
}

static void add(struct work *w, int64_t delay_ms, work_job *job, void *arg)
{
	auto_value(problem) p = {0};

	assert_true(work_add(w, delay_ms, job, arg, &p));
}

/* Ten seconds are for ever here. */
static bool wait_for(sem_t *sem)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 60;
	return sem_timedwait(sem, &ts) == 0;
}

static void post(void *sem)
{
	sem_post(sem);
}

static void wait_in_job(void *sem)
{
	if (!wait_for(sem))
		abort();
}

struct mark {
	sem_t *done;
	char *log;
	char letter;
};

static void mark_job(void *arg)
{
	struct mark *m = arg;

	m->log[strlen(m->log)] = m->letter;
	sem_post(m->done);
}

/* One thread, so that the order is the order of running. */
static void jobs_run_in_the_order_they_fall_due(void **state)
{
	static const struct {
		char letter;
		int delay;
	} rows[] = {
		{ 'f', 60 }, { 'c', 30 }, { 'a', 0 }, { 'd', 40 }, { 'g', 80 }, { 'b', 0 }, { 'e', 50 }, { 'h', 90 },
	};
	enum { JOBS = array_length(rows) };
	struct work *w = open_work(1, JOBS + 1);
	struct mark marks[JOBS];
	char log[JOBS + 1] = "";
	sem_t hold, done;

	(void)state;
	sem_init(&hold, 0, 0);
	sem_init(&done, 0, 0);
	add(w, 0, wait_in_job, &hold);
	for (size_t i = 0; i < JOBS; i++) {
		marks[i] = (struct mark){ &done, log, rows[i].letter };
		add(w, rows[i].delay, mark_job, &marks[i]);
	}
	sem_post(&hold);
	for (size_t i = 0; i < JOBS; i++)
		assert_true(wait_for(&done));
	work_close(w, NULL);
	assert_string_equal(log, "abcdefgh");
}

static void many_jobs_due_together_keep_their_order(void **state)
{
	enum { JOBS = 200 };
	struct work *w = open_work(1, JOBS + 1);
	struct mark marks[JOBS];
	char log[JOBS + 1] = "", want[JOBS + 1] = "";
	sem_t hold, done;

	(void)state;
	sem_init(&hold, 0, 0);
	sem_init(&done, 0, 0);
	add(w, 0, wait_in_job, &hold);
	for (int i = 0; i < JOBS; i++) {
		want[i] = (char)('!' + i % 90);
		marks[i] = (struct mark){ &done, log, want[i] };
		add(w, 0, mark_job, &marks[i]);
	}
	assert_in_range(work_waiting(w), JOBS, JOBS + 1);
	sem_post(&hold);
	for (int i = 0; i < JOBS; i++)
		assert_true(wait_for(&done));
	work_close(w, NULL);
	assert_string_equal(log, want);
}

static void job_is_never_early(void **state)
{
	struct work *w = open_work(2, 10);
	sem_t done;

	(void)state;
	sem_init(&done, 0, 0);
	for (int i = 0; i < 40; i++) {
		int delay = i % 10 == 0 ? i : 1;
		struct timespec before, after;
		clock_gettime(CLOCK_MONOTONIC, &before);
		add(w, delay, post, &done);
		assert_true(wait_for(&done));
		clock_gettime(CLOCK_MONOTONIC, &after);
		int64_t us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
		assert_true(us >= delay * 1000);
		assert_true(us < 5000000);
	}
	add(w, -5, post, &done);
	assert_true(wait_for(&done));
	work_close(w, NULL);
}

struct pair {
	sem_t later, seen;
};

static void wait_for_later(void *arg)
{
	struct pair *pair = arg;

	if (wait_for(&pair->later))
		sem_post(&pair->seen);
}

/* A job that runs long does not hold up what falls due meanwhile. */
static void busy_thread_leaves_the_rest_to_another(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct work *w = open_work(2, 10);
		struct pair pair;
		sem_init(&pair.later, 0, 0);
		sem_init(&pair.seen, 0, 0);
		if (i % 2)
			nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL); /* both threads wait */
		add(w, 10, post, &pair.later);
		add(w, 0, wait_for_later, &pair);
		assert_true(wait_for(&pair.seen));
		work_close(w, NULL);
	}
}

struct chain {
	struct work *work;
	sem_t done;
	int left;
};

static void add_next(void *arg)
{
	struct chain *chain = arg;

	if (--chain->left > 0)
		add(chain->work, 1, add_next, chain);
	else
		sem_post(&chain->done);
}

static void job_may_add_jobs(void **state)
{
	struct chain chain = { .work = open_work(2, 1), .left = 10 };

	(void)state;
	sem_init(&chain.done, 0, 0);
	add(chain.work, 0, add_next, &chain);
	assert_true(wait_for(&chain.done));
	work_close(chain.work, NULL);
}

static atomic_int dropped;

static void drop(void *arg)
{
	(void)arg;
	atomic_fetch_add(&dropped, 1);
}

static void full_queue_refuses(void **state)
{
	struct work *w = open_work(1, 3);
	auto_value(problem) p = {0};
	sem_t never;

	(void)state;
	sem_init(&never, 0, 0);
	for (int i = 0; i < 3; i++)
		add(w, 60000, post, &never);
	assert_false(work_add(w, 0, post, &never, &p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_true(p.retry_after > 0);
	assert_int_equal(work_waiting(w), 3);
	dropped = 0;
	work_close(w, drop);
	assert_int_equal(dropped, 3);
	assert_int_not_equal(sem_trywait(&never), 0);
}

static atomic_int run;

static void count(void *arg)
{
	(void)arg;
	atomic_fetch_add(&run, 1);
}

/* Whatever is under way when it closes: each job is either run or dropped, once. */
static void close_runs_or_drops_each(void **state)
{
	enum { JOBS = 300 };

	(void)state;
	for (int round = 0; round < 10; round++) {
		struct work *w = open_work(4, JOBS);
		run = dropped = 0;
		for (int i = 0; i < JOBS; i++)
			add(w, i % 3, count, NULL);
		work_close(w, drop);
		assert_int_equal(run + dropped, JOBS);
	}
	work_close(NULL, drop);
}

struct late {
	struct work *work;
	sem_t begun;
	enum problem_kind refused;
};

static void add_until_closing(void *arg)
{
	struct late *late = arg;
	auto_value(problem) p = {0};

	sem_post(&late->begun);
	for (int i = 0; i < 60000 && late->refused == PROBLEM_NONE; i++) {
		if (!work_add(late->work, 60000, count, NULL, &p))
			late->refused = p.kind;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void closing_takes_no_jobs_and_waits_for_the_running(void **state)
{
	struct late late = { .work = open_work(1, 100000) };

	(void)state;
	sem_init(&late.begun, 0, 0);
	add(late.work, 0, add_until_closing, &late);
	assert_true(wait_for(&late.begun));
	work_close(late.work, NULL);
	assert_int_equal(late.refused, PROBLEM_UNAVAILABLE);
}

static void run_until_the_end(void *arg)
{
	sem_t *begun = arg;

	assert_false(work_ends());
	sem_post(begun);
	for (int i = 0; i < 60000 && !work_ends(); i++)
		usleep(1000);
	if (work_ends())
		sem_post(begun);
}

/* Of the work itself: another that closes does not end it. */
static void a_job_hears_of_the_end(void **state)
{
	struct work *w = open_work(1, 10), *other = open_work(1, 10);
	sem_t begun;

	(void)state;
	assert_false(work_ends());
	sem_init(&begun, 0, 0);
	add(w, 0, run_until_the_end, &begun);
	assert_true(wait_for(&begun));
	work_close(other, NULL);
	work_close(w, NULL);
	assert_int_equal(sem_trywait(&begun), 0);
	assert_false(work_ends());
	sem_destroy(&begun);
}

struct look {
	sem_t done;
	char name[16];
	bool blocked;
};

static unsigned threads_now(void)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* What has nothing to do yet takes no memory. */
static void threads_begin_when_they_are_wanted(void **state)
{
	unsigned before = threads_now();
	struct work *w = open_work(4, 10);
	sem_t done;

	(void)state;
	sem_init(&done, 0, 0);
	assert_int_equal(threads_now(), before + 1);
	for (unsigned i = 0; i < 6; i++)
		add(w, 0, wait_in_job, &done);
	for (unsigned i = 0; i < 60000 && threads_now() < before + 4; i++)
		usleep(1000);
	assert_int_equal(threads_now(), before + 4);
	for (unsigned i = 0; i < 6; i++)
		sem_post(&done);
	work_close(w, post);
	sem_destroy(&done);
}

static void look_around(void *arg)
{
	struct look *look = arg;
	sigset_t set;

	pthread_getname_np(pthread_self(), look->name, sizeof(look->name));
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	look->blocked = sigismember(&set, SIGTERM) && sigismember(&set, SIGHUP);
	sem_post(&look->done);
}

static void threads_are_named_and_deaf(void **state)
{
	struct work *w = open_work(1, 1);
	struct look look;
	sigset_t set;

	(void)state;
	sem_init(&look.done, 0, 0);
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	add(w, 5, look_around, &look);
	assert_true(wait_for(&look.done));
	work_close(w, NULL);
	assert_string_equal(look.name, "test0");
	assert_true(look.blocked);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	assert_false(sigismember(&set, SIGTERM)); /* the caller's own mask is as it was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_in_the_order_they_fall_due),
		cmocka_unit_test(many_jobs_due_together_keep_their_order),
		cmocka_unit_test(job_is_never_early),
		cmocka_unit_test(busy_thread_leaves_the_rest_to_another),
		cmocka_unit_test(job_may_add_jobs),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(close_runs_or_drops_each),
		cmocka_unit_test(closing_takes_no_jobs_and_waits_for_the_running),
		cmocka_unit_test(a_job_hears_of_the_end),
		cmocka_unit_test(threads_begin_when_they_are_wanted),
		cmocka_unit_test(threads_are_named_and_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
