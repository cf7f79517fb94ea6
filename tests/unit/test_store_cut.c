/* What the store keeps when the power goes at any point, and when its process is killed. */
#include "tests/unit/cut_trial.h"

#include <pthread.h>

#include "base/file.h"
#include "store/table.h"

/* --- one thread --- */

/* Returns the point at which it has begun. */
static size_t workload(unsigned updates)
{
	struct kv *kv = begin_workload(true);
	struct kv_txn *txn = NULL;
	size_t begin = power_now(disk);
	char why[256];

	for (unsigned i = 0; i < updates; i++) {
		if (!update_kv(kv, disk, why))
			fail_msg("%s", why);
		if (i % 3 != 0)
			continue;
		must(kv_begin(kv, KV_WRITE, &txn, p));
		world_rubbish(txn, i);
		kv_abort(&txn);
	}
	kv_close(kv);
	want_log_whole();
	return begin;
}

static void test_cut_at_each_point(void **state)
{
	size_t begin = workload(10);

	(void)state;
	for (size_t point = begin; point <= power_now(disk); point++)
		for (uint64_t way = 0; way < POWER_SEEDS_EACH; way++) {
			struct trial t = trial_at(point, point * POWER_SEEDS_EACH + way);
			want_survival(power_cut, &t);
		}
}

static void test_killed_at_each_point(void **state)
{
	size_t begin = workload(25);

	(void)state;
	for (size_t point = begin; point <= power_now(disk); point++) {
		struct trial t = trial_at(point, point);
		want_survival(power_kill, &t);
	}
}

static void test_cut_anywhere_in_a_long_life(void **state)
{
	size_t begin = workload(700);

	(void)state;
	want_survival_anywhere(begin, seeds(50));
}

static void test_cut_at_each_point_of_recovery(void **state)
{
	size_t begin = workload(30), points = power_now(disk) - begin + 1;

	(void)state;
	for (unsigned i = 0; i < seeds(9); i++) {
		struct trial t = trial_at(begin + world_roll(i, 7) % points, i);
		t.again = UINT_MAX;
		want_survival(power_cut, &t);
	}
}

/* --- many threads, with commits that they share --- */

static struct store *store;
static const struct kv_options small = { .map_size = 64 * 1024 };
static char failure[] = "a thread failed";

static bool update_store(struct store_txn *txn, void *arg, struct problem *p)
{
	*(unsigned *)arg = world_update(txn->kv, disk);
	return kv_check(txn->kv, p);
}

static bool update_refused(struct store_txn *txn, void *arg, struct problem *p)
{
	world_rubbish(txn->kv, *(unsigned *)arg);
	return problem_set(p, PROBLEM_CONFLICT, "not this one");
}

static void *write_many(void *arg)
{
	unsigned each = *(const unsigned *)arg;

	for (unsigned i = 0; i < each; i++) {
		struct problem p = {0};
		unsigned n = i;

		if (i % 5 == 4 && (store_update(store, update_refused, &n, &p) || p.kind != PROBLEM_CONFLICT))
			return failure;
		problem_done(&p);
		if (!store_update(store, update_store, &n, &p))
			return failure;
		power_mark(disk, POWER_DONE, n);
	}
	return NULL;
}

static void write_together(unsigned threads, unsigned each)
{
	pthread_t thread[8];
	void *failed;

	assert_true(threads <= array_length(thread));
	for (unsigned i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, &each), 0);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
}

static void test_threads_that_share_commits(void **state)
{
	uint64_t commits, updates;

	(void)state;
	power_slow(disk, 100);
	must(store_open(live, true, &small, &store, p));
	must(store_lock_server(store, p));
	size_t begin = power_now(disk);
	write_together(6, 15);
	store_counters(store, &commits, &updates);
	assert_true(commits < updates);
	store_close(steal(store));
	want_log_whole();
	want_survival_anywhere(begin, seeds(90));
}

/* --- another process --- */

static void foreign_child(int go, unsigned updates)
{
	struct kv *kv = NULL;
	char why[256], byte;

	if (read(go, &byte, 1) != 1 || !open_kv(live, false, &kv, why))
		_exit(2);
	for (unsigned i = 0; i < updates; i++)
		if (!update_kv(kv, disk, why))
			_exit(3);
	kv_close(kv);
	_exit(0);
}

/* LMDB's lock on an environment is the process's, so the child begins before there is one. */
static pid_t foreign_start(unsigned updates, int *ret_go)
{
	int go[2];

	assert_int_equal(pipe(go), 0);
	pid_t pid = child_start();
	if (pid == 0) {
		close(go[1]);
		foreign_child(go[0], updates);
	}
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static void foreign_go(int go)
{
	assert_int_equal(write(go, "x", 1), 1);
	close(go);
}

static void test_another_process_writes_beside(void **state)
{
	int go, status;
	pid_t pid = foreign_start(40, &go);

	(void)state;
	power_slow(disk, 50);
	must(store_open(live, true, &small, &store, p));
	must(store_lock_server(store, p));
	size_t begin = power_now(disk);
	foreign_go(go);
	write_together(3, 12);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	write_together(2, 3);
	store_close(steal(store));
	want_log_whole();
	want_survival_anywhere(begin, seeds(60));
}

/* --- a process that dies while another has the store open --- */

struct death {
	unsigned at;  /* calls still to come */
	enum power_verdict how;
};

static enum power_verdict die_at(void *arg, struct power_event *event)
{
	struct death *death = arg;

	(void)event;
	return death->at-- == 0 ? death->how : POWER_PASS;
}

static void dying_child(int go, bool server, struct death death)
{
	struct kv *kv = NULL;
	char why[256], byte;

	if (read(go, &byte, 1) != 1)
		_exit(2);
	power_hook_set(die_at, &death);
	if (!(server ? open_server(live, &kv, why) : open_kv(live, false, &kv, why)))
		_exit(2);
	while (update_kv(kv, disk, why))
		;
	_exit(3);
}

/* Readers may see the last update of the dead one only when somebody has written after it. */
static bool goes_on_after_a_death(struct kv *kv, char why[256])
{
	struct trial t = trial_at(power_now(disk), 0);
	unsigned last;

	if (!world_check(kv, t.least, t.most, &last, why) || !update_kv(kv, disk, why))
		return false;
	t = trial_at(power_now(disk), 0);
	return world_check(kv, t.least, t.least, &last, why);
}

/* Processes die one after the other, each some calls later than the one before, while another goes on. */
static void deaths(bool servers)
{
	static const enum power_verdict how[] = { POWER_DIE_BEFORE, POWER_DIE_HALF, POWER_DIE_AFTER };
	enum { DEATHS = 36 };
	int go[DEATHS][2], status;
	pid_t pid[DEATHS];
	char why[256];

	for (unsigned i = 0; i < DEATHS; i++) {
		assert_int_equal(pipe(go[i]), 0);
		pid[i] = child_start();
		if (pid[i] == 0)
			dying_child(go[i][0], servers, (struct death){ i / 3, how[i % 3] });
	}
	struct kv *kv = begin_workload(!servers);
	size_t begin = power_now(disk);
	for (unsigned i = 0; i < DEATHS; i++) {
		assert_int_equal(write(go[i][1], "x", 1), 1);
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		if (!goes_on_after_a_death(kv, why))
			fail_msg("death %u: %s", i, why);
		close(go[i][0]);
		close(go[i][1]);
	}
	kv_close(kv);
	want_log_whole();
	want_survival_anywhere(begin, seeds(30));
}

static void test_a_command_killed_beside_the_server(void **state)
{
	(void)state;
	deaths(false);
}

static void test_a_server_killed_beside_a_command(void **state)
{
	(void)state;
	deaths(true);
}

/* --- backups --- */

struct copying {
	unsigned n, least[10], most[10];
};

static void *copy_on(void *arg)
{
	struct copying *c = arg;

	for (c->n = 0; c->n < array_length(c->least); c->n++) {
		auto_free char *path = mem_printf("%s/copy%u", folder, c->n);
		struct problem p = {0};

		c->least[c->n] = (unsigned)power_marked(disk, power_now(disk), POWER_DONE);
		if (!store_backup(store, path, &p))
			return failure;
		c->most[c->n] = (unsigned)power_marked(disk, power_now(disk), POWER_BEGUN);
		usleep(2000);
	}
	return NULL;
}

static void test_backups_while_threads_write(void **state)
{
	struct copying copying;
	pthread_t thread;
	void *failed;

	(void)state;
	power_slow(disk, 100);
	must(store_open(live, true, &small, &store, p));
	must(store_lock_server(store, p));
	size_t begin = power_now(disk);
	assert_int_equal(pthread_create(&thread, NULL, copy_on, &copying), 0);
	write_together(4, 20);
	pthread_join(thread, &failed);
	assert_null(failed);
	store_close(steal(store));
	for (unsigned i = 0; i < copying.n; i++) {
		auto_free char *path = mem_printf("%s/copy%u", folder, i);
		struct trial t = { .least = copying.least[i], .most = copying.most[i] };
		char why[256];

		if (!look_apart(path, &t, why))
			fail_msg("copy %u: %s", i, why);
	}
	want_survival_anywhere(begin, seeds(40));
}

/* A copy that was made is on the disk; one that was not has not its name. */
static void test_cut_at_each_point_of_a_backup(void **state)
{
	auto_free char *copy = mem_printf("%s/copy", folder), *path = mem_printf("%s/cut", folder);
	char why[256];

	(void)state;
	must(store_open(live, true, &small, &store, p));
	must(store_lock_server(store, p));
	write_together(1, 12);
	assert_int_equal(mkdir(copy, 0700), 0);
	power_end(steal(disk));
	disk = power_watch(copy, NULL);
	must(store_backup(store, copy, p));
	store_close(steal(store));
	want_log_whole();
	for (size_t point = power_begin(disk); point <= power_now(disk); point++)
		for (uint64_t way = 0; way < POWER_SEEDS_EACH; way++) {
			assert_int_equal(mkdir(path, 0700), 0);
			power_cut(disk, point, way, path);
			bool there = folder_has(path, "seal.key");
			if (there && !look_apart(path, &(struct trial){ .least = 12, .most = 12 }, why))
				fail_msg("cut at %zu, seed %llu: %s", point, (unsigned long long)way, why);
			assert_true(there || point < power_now(disk));
			folder_remove(strdup(path));
		}
}

/* --- the proof of it: a drive that lies about its flushes --- */

static unsigned losses(end_fn *end, size_t begin, unsigned many)
{
	unsigned lost = 0;
	char why[256];

	for (unsigned i = 0; i < many; i++) {
		struct trial t = trial_at(begin + world_roll(i, 3) % (power_now(disk) - begin + 1), i);
		t.quiet = true;
		lost += !survives(end, &t, why);
	}
	return lost;
}

static void test_a_drive_that_lies_is_found_out(void **state)
{
	struct kv *kv = begin_workload(true);
	char why[256];

	(void)state;
	power_lie(disk);
	size_t begin = power_now(disk);
	for (unsigned i = 0; i < 20; i++)
		assert_true(update_kv(kv, disk, why));
	kv_close(kv);
	assert_true(losses(power_cut, begin, 40) > 20);
	assert_int_equal(losses(power_kill, begin, 20), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_cut_at_each_point),
		TEST(test_killed_at_each_point),
		TEST(test_cut_at_each_point_of_recovery),
		TEST(test_cut_anywhere_in_a_long_life),
		TEST(test_threads_that_share_commits),
		TEST(test_another_process_writes_beside),
		TEST(test_a_command_killed_beside_the_server),
		TEST(test_a_server_killed_beside_a_command),
		TEST(test_backups_while_threads_write),
		TEST(test_cut_at_each_point_of_a_backup),
		TEST(test_a_drive_that_lies_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
