/* store/kv_lmdb.c beyond the contract: growth, full disks, faults of the disk, other processes,
 * crashes. The system calls by which LMDB writes are replaced by ones that can fail. */
#include "tests/unit/test_store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "store/table.h"

/* --- the disk --- */

enum fault {
	FAULT_NONE,
	FAULT_PAGES,  /* writing pages */
	FAULT_SHORT,  /* ... stops half way */
	FAULT_SYNC,   /* fdatasync */
	FAULT_META,   /* writing LMDB's own header, the point at which a commit becomes true */
};
static atomic_int fault, fault_errno;
static atomic_uint syncs;

static bool faulty(enum fault f)
{
	if (atomic_load(&fault) != (int)f)
		return false;
	errno = atomic_load(&fault_errno);
	return true;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	if (faulty(FAULT_SYNC))
		return -1;
	atomic_fetch_add(&syncs, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (faulty(len < 4096 ? FAULT_META : FAULT_PAGES))
		return -1;
	if (faulty(FAULT_SHORT))
		len /= 2;
	return syscall(SYS_pwrite64, fd, data, len, at);
}

__attribute__((visibility("default"))) ssize_t writev(int fd, const struct iovec *v, int n)
{
	if (faulty(FAULT_PAGES))
		return -1;
	if (faulty(FAULT_SHORT))
		n = 1;
	return syscall(SYS_writev, fd, v, n);
}

static void set_fault(enum fault f, int error)
{
	atomic_store(&fault_errno, error);
	atomic_store(&fault, (int)f);
}

/* --- fixture --- */

static char *folder;
static struct store *store;

static void open_with(uint64_t map_size, uint64_t map_max)
{
	const struct kv_options options = { .map_size = map_size, .map_max = map_max };

	must(store_open(folder, true, &options, &store, p));
}

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	set_fault(FAULT_NONE, 0);
	store_close(steal(store));
	folder_remove(steal(folder));
	return 0;
}

/* Two keys that are always written together. */
static bool write_pair(struct store_txn *txn, void *arg, struct problem *p)
{
	static const char filler[2000];
	unsigned n = *(const unsigned *)arg;
	char key[32];

	snprintf(key, sizeof(key), "a%u", n);
	kv_put(txn->kv, BYTES_STR(key), BYTES(filler, sizeof(filler)));
	snprintf(key, sizeof(key), "b%u", n);
	kv_put(txn->kv, BYTES_STR(key), BYTES(&n, sizeof(n)));
	return kv_check(txn->kv, p);
}

static bool put_pair(unsigned n, struct problem *p)
{
	return store_update(store, write_pair, &n, p);
}

struct pair {
	unsigned n;
	bool a, b;
};

static bool read_pair(struct store_txn *txn, void *arg, struct problem *p)
{
	struct pair *pair = arg;
	struct bytes value;
	char key[32];

	(void)p;
	snprintf(key, sizeof(key), "a%u", pair->n);
	pair->a = kv_get(txn->kv, BYTES_STR(key), &value) && value.len == 2000;
	snprintf(key, sizeof(key), "b%u", pair->n);
	pair->b = kv_get(txn->kv, BYTES_STR(key), &value) && memcmp(value.data, &pair->n, sizeof(pair->n)) == 0;
	return true;
}

/* Both are there or neither. */
static bool has_pair(unsigned n)
{
	struct pair pair = { .n = n };

	must(store_view(store, read_pair, &pair, p));
	assert_int_equal(pair.a, pair.b);
	return pair.a;
}

static void want_pairs(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(has_pair(i));
}

/* Writes pairs until one is refused; the number that went in. */
static unsigned fill(struct problem *why)
{
	for (unsigned n = 0; n < 100000; n++)
		if (!put_pair(n, why))
			return n;
	fail_msg("the store never filled up");
	return 0;
}

/* --- growth --- */

static void test_map_grows(void **state)
{
	(void)state;
	open_with(64 * 1024, 0);
	for (unsigned n = 0; n < 150; n++)
		must(put_pair(n, p));
	want_pairs(150);
	store_close(store);
	open_with(64 * 1024, 0); /* smaller than what it holds */
	want_pairs(150);
	must(put_pair(150, p));
}

static bool write_much(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	for (unsigned n = 0; n < 2000; n++)
		if (!write_pair(txn, &n, p))
			return false;
	return true;
}

static void test_one_update_of_many_times_the_map(void **state)
{
	(void)state;
	open_with(64 * 1024, 0);
	must(store_update(store, write_much, NULL, p));
	want_pairs(2000);
}

enum { WRITERS = 4, READERS = 3, EACH = 150 };
static atomic_bool stop_reading;
static char failure[] = "a thread failed";

static void *write_many(void *arg)
{
	unsigned from = *(const unsigned *)arg;
	struct problem p = {0};

	for (unsigned n = from; n < from + EACH; n++)
		if (!put_pair(n, &p))
			return failure;
	return NULL;
}

static void *read_many(void *arg)
{
	struct problem p = {0};

	(void)arg;
	for (unsigned n = 0; !atomic_load(&stop_reading); n = (n + 7) % (WRITERS * EACH)) {
		struct pair pair = { .n = n };
		if (!store_view(store, read_pair, &pair, &p) || pair.a != pair.b)
			return failure;
	}
	return NULL;
}

static void test_map_grows_under_load(void **state)
{
	pthread_t writers[WRITERS], readers[READERS];
	unsigned from[WRITERS];
	void *failed;

	(void)state;
	open_with(64 * 1024, 0);
	atomic_store(&stop_reading, false);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_many, NULL), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		from[i] = i * EACH;
		assert_int_equal(pthread_create(&writers[i], NULL, write_many, &from[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(writers[i], &failed);
		assert_null(failed);
	}
	atomic_store(&stop_reading, true);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i], &failed);
		assert_null(failed);
	}
	want_pairs(WRITERS * EACH);
}

/* --- full --- */

static void want_full(const struct problem *why)
{
	assert_int_equal(why->kind, PROBLEM_UNAVAILABLE);
	assert_int_equal(problem_status(why), 503);
	assert_true(why->retry_after > 0);
	assert_non_null(strstr(why->cause, "disk full"));
}

static void test_largest_map_is_a_full_disk(void **state)
{
	struct problem why = {0}, again = {0};

	(void)state;
	open_with(64 * 1024, 512 * 1024);
	unsigned n = fill(&why);
	want_full(&why);
	assert_true(n > 20);
	assert_false(put_pair(n, &again));
	want_full(&again);
	want_pairs(n);
	assert_false(has_pair(n));
	store_close(store);
	open_with(64 * 1024, 4 * 1024 * 1024); /* room again */
	want_pairs(n);
	must(put_pair(n, p));
}

/* The limit on a file's size is a disk of that size: a short write at the edge, then none. */
static int limited_child(void)
{
	const struct rlimit small = { 300 * 1024, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	struct problem why = {0};

	signal(SIGXFSZ, SIG_IGN);
	open_with(0, 0);
	setrlimit(RLIMIT_FSIZE, &small);
	unsigned n = fill(&why);
	want_full(&why);
	for (unsigned i = 0; i < 5; i++) {
		assert_false(put_pair(n, &why));
		want_full(&why);
	}
	assert_true(n > 20);
	want_pairs(n);
	setrlimit(RLIMIT_FSIZE, &none);
	must(put_pair(n, p));
	want_pairs(n + 1);
	store_close(steal(store));
	return 0;
}

/* Runs it in a process of its own, where a failed assertion is an exit status. */
static void in_child(int (*fn)(void))
{
	int status;
	pid_t pid = child_start();

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_disk_of_limited_size(void **state)
{
	(void)state;
	in_child(limited_child);
	open_with(0, 0);
	assert_true(has_pair(20));
}

/* --- faults --- */

static void test_faults(void **state)
{
	static const struct {
		enum fault fault;
		int error;
		const char *want_cause;
	} rows[] = {
		{ FAULT_PAGES, ENOSPC, "disk full" },
		{ FAULT_PAGES, EDQUOT, "disk full" },
		{ FAULT_PAGES, EIO, "disk full or failing" },
		{ FAULT_SHORT, 0, "disk full or failing" },
		{ FAULT_SYNC, EIO, "disk full or failing" },
		{ FAULT_SYNC, ENOSPC, "disk full" },
		{ FAULT_META, ENOSPC, "disk full" },
		{ FAULT_META, EIO, "disk full or failing" },
	};

	(void)state;
	open_with(0, 0);
	for (unsigned i = 0; i < array_length(rows); i++) {
		struct problem why = {0};

		set_fault(rows[i].fault, rows[i].error);
		assert_false(put_pair(1000 + i, &why));
		assert_int_equal(why.kind, PROBLEM_UNAVAILABLE);
		assert_true(why.retry_after > 0);
		if (!strstr(why.cause, rows[i].want_cause))
			fail_msg("row %u: %s", i, why.cause);
		assert_false(has_pair(1000 + i));
		set_fault(FAULT_NONE, 0);
		must(put_pair(i, p)); /* the process goes on */
		want_pairs(i + 1);
		assert_false(has_pair(1000 + i));
	}
	store_close(store);
	open_with(0, 0);
	want_pairs(array_length(rows));
	assert_false(has_pair(1000));
}

/* No update returns before its sync. */
static void test_every_update_is_synced(void **state)
{
	(void)state;
	open_with(0, 0);
	for (unsigned n = 0; n < 10; n++) {
		unsigned before = atomic_load(&syncs);
		must(put_pair(n, p));
		assert_true(atomic_load(&syncs) > before);
	}
}

static atomic_uint acknowledged_without;

/* Under load as well: at its return the syncs that began after its call are one or more. */
static void *write_and_watch(void *arg)
{
	unsigned from = *(const unsigned *)arg;
	struct problem p = {0};

	for (unsigned n = from; n < from + 50; n++) {
		unsigned before = atomic_load(&syncs);
		if (!put_pair(n, &p))
			return failure;
		if (atomic_load(&syncs) == before)
			atomic_fetch_add(&acknowledged_without, 1);
	}
	return NULL;
}

static void test_shared_commits_are_synced(void **state)
{
	uint64_t commits, updates, commits_before, updates_before;
	pthread_t threads[8];
	unsigned from[8];

	(void)state;
	open_with(0, 0);
	store_counters(store, &commits_before, &updates_before);
	unsigned syncs_before = atomic_load(&syncs);
	for (unsigned i = 0; i < array_length(threads); i++) {
		from[i] = i * 50;
		assert_int_equal(pthread_create(&threads[i], NULL, write_and_watch, &from[i]), 0);
	}
	for (unsigned i = 0; i < array_length(threads); i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	store_counters(store, &commits, &updates);
	assert_int_equal(acknowledged_without, 0);
	assert_int_equal(updates - updates_before, 400);
	assert_true(commits - commits_before < 400);
	assert_true(atomic_load(&syncs) - syncs_before >= commits - commits_before);
	want_pairs(400);
}

/* --- other processes --- */

static int grow_child(void)
{
	open_with(64 * 1024, 0);
	for (unsigned n = 1; n < 100; n++)
		must(put_pair(n, p));
	store_close(steal(store));
	return 0;
}

/* LMDB's lock on an environment is the process's, so the child opens its own, and begins first. */
static void test_map_grown_by_another_process(void **state)
{
	int ready[2], go[2], status;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready) + pipe(go), 0);
	pid_t pid = child_start();
	if (pid == 0) {
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(grow_child());
	}
	open_with(64 * 1024, 0);
	must(put_pair(0, p));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	want_pairs(100);      /* a read meets the larger map first */
	must(put_pair(100, p));
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

static bool never_ends(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)txn;
	(void)arg;
	(void)p;
	raise(SIGKILL);
	return false;
}

static void killed_child(store_fn *fn, bool writes)
{
	int status;
	pid_t pid = child_start();

	if (pid == 0) {
		struct problem p = {0};
		open_with(0, 0);
		_exit(writes ? store_update(store, fn, NULL, &p) : store_view(store, fn, NULL, &p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Neither its slot of the readers' table nor the writers' lock outlives a process for long. */
static void test_killed_inside_a_transaction(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		killed_child(never_ends, false);
		killed_child(never_ends, true);
	}
	open_with(0, 0);
	must(put_pair(0, p));
	want_pairs(1);
}

/* Whether the kernel knows that pages of the map are wanted in no order: the flag rr of proc(5). */
static bool is_random(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	bool ours = false, found = false;
	char line[1024];

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/data.mdb"))
			ours = true;
		else if (ours && str_starts(line, "VmFlags:"))
			found = true;
	}
	fclose(maps);
	assert_true(found);
	return strstr(line, " rr ") != NULL;
}

static void test_the_kernel_reads_ahead_unless_told_otherwise(void **state)
{
	const struct kv_options options = { .map_size = 64 * 1024, .random_access = true };

	(void)state;
	open_with(0, 0);
	assert_false(is_random());
	store_close(steal(store));
	must(store_open(folder, false, &options, &store, p));
	assert_true(is_random());
	for (unsigned i = 0; i < 100; i++) /* past the first size of the map */
		must(put_pair(i, p));
	assert_true(is_random());
}

static const struct kv_options few_readers = { .readers_max = 8 };

/* Takes every place that is left, and dies with them. */
static void readers_child(int go)
{
	struct kv_txn *txns[16];
	struct problem why = {0};
	struct kv *kv = NULL;
	unsigned n = 0;
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(2);
	must(kv_lmdb_open(folder, &few_readers, &kv, p));
	while (n < array_length(txns) && kv_begin(kv, KV_READ, &txns[n], &why))
		n++;
	if (n < 4 || n > 8 || why.kind != PROBLEM_UNAVAILABLE)
		_exit(3);
	raise(SIGKILL);
}

static void test_places_of_dead_readers_are_taken_again(void **state)
{
	struct kv_txn *txns[6];
	struct kv *kv = NULL;
	int go[2], status;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid_t pid = child_start();
	if (pid == 0)
		readers_child(go[0]);
	must(kv_lmdb_open(folder, &few_readers, &kv, p));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	for (unsigned i = 0; i < array_length(txns); i++)
		must(kv_begin(kv, KV_READ, &txns[i], p));
	for (unsigned i = 0; i < array_length(txns); i++)
		kv_abort(&txns[i]);
	kv_close(kv);
	close(go[0]);
	close(go[1]);
}

/* --- crashes --- */

/* Each number that was acknowledged goes through the pipe. */
static void *acknowledge(void *arg)
{
	const unsigned *from_fd = arg;
	struct problem p = {0};

	for (unsigned n = from_fd[0];; n++)
		if (!put_pair(n, &p) || write((int)from_fd[1], &n, sizeof(n)) != sizeof(n))
			_exit(3);
	return NULL;
}

static void crash_child(int fd, unsigned round)
{
	pthread_t threads[4];
	unsigned from_fd[4][2];

	open_with(64 * 1024, 0);
	for (unsigned i = 0; i < 4; i++) {
		from_fd[i][0] = (round * 4 + i) * 100000;
		from_fd[i][1] = (unsigned)fd;
		if (pthread_create(&threads[i], NULL, acknowledge, from_fd[i]) != 0)
			_exit(4);
	}
	for (;;)
		pause();
}

/* Kills the writer in the middle; returns the first number of each of its threads that it never
 * acknowledged. */
static void crash(unsigned round, unsigned ret_next[4])
{
	int fds[2], status;
	unsigned n, count = 0;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = child_start();
	if (pid == 0) {
		close(fds[0]);
		crash_child(fds[1], round);
	}
	close(fds[1]);
	for (unsigned i = 0; i < 4; i++)
		ret_next[i] = (round * 4 + i) * 100000;
	while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) {
		ret_next[n / 100000 % 4] = n + 1;
		if (++count == 100 + round * 37)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What each round acknowledged is there; of each thread at most one more, whole or not at all. */
static void want_acknowledged(unsigned next[][4], unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < 4; i++) {
			unsigned n = (round * 4 + i) * 100000;
			for (; n < next[round][i]; n++)
				assert_true(has_pair(n));
			has_pair(n);
			assert_false(has_pair(n + 1));
		}
	}
}

static void test_killed_while_writing(void **state)
{
	enum { ROUNDS = 4 };
	unsigned next[ROUNDS][4];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++)
		crash(round, next[round]);
	open_with(0, 0);
	want_acknowledged(next, ROUNDS);
	/* A copy walks the whole tree and refuses to be made when a page is lost. */
	auto_free char *copy = mem_printf("%s/copy", folder);
	must(store_backup(store, copy, p));
	store_close(steal(store));
	must(store_open(copy, false, NULL, &store, p));
	want_acknowledged(next, ROUNDS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_map_grows),
		TEST(test_one_update_of_many_times_the_map),
		TEST(test_map_grows_under_load),
		TEST(test_largest_map_is_a_full_disk),
		TEST(test_disk_of_limited_size),
		TEST(test_faults),
		TEST(test_every_update_is_synced),
		TEST(test_shared_commits_are_synced),
		TEST(test_map_grown_by_another_process),
		TEST(test_killed_inside_a_transaction),
		TEST(test_the_kernel_reads_ahead_unless_told_otherwise),
		TEST(test_places_of_dead_readers_are_taken_again),
		TEST(test_killed_while_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
