/* store/group.c: updates that share a commit. Over both engines, and over one that fails. */
#include "tests/unit/test_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "store/group.h"
#include "store/table.h"

/* --- an engine that counts and fails: everything else is the real one below it --- */

struct proxy {
	struct kv kv;
	struct kv *below;
	atomic_uint commits;
	atomic_uint slow_ms;       /* what a commit takes */
	atomic_uint fail_commits;  /* so many that come next */
	atomic_uint full_commits;  /* fail for want of room; kv_grow then says there is some */
	atomic_uint grown;
	bool wants_room;
};
struct proxy_txn {
	struct kv_txn txn;
	struct kv_txn *below;
};

static struct proxy *proxy_of(struct kv *kv)
{
	return (struct proxy *)kv;
}

static struct kv_txn *below(struct kv_txn *txn)
{
	return ((struct proxy_txn *)txn)->below;
}

static bool proxy_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p)
{
	struct proxy_txn *txn = calloc(1, sizeof(*txn));

	assert_non_null(txn);
	if (!kv_begin(proxy_of(kv)->below, mode, &txn->below, p)) {
		free(txn);
		return false;
	}
	txn->txn.kv = kv;
	txn->txn.write = mode == KV_WRITE;
	*ret = &txn->txn;
	return true;
}

static void proxy_abort(struct kv_txn *txn)
{
	kv_abort(&((struct proxy_txn *)txn)->below);
	free(txn);
}

static bool take(atomic_uint *n)
{
	unsigned have = atomic_load(n);

	return have > 0 && atomic_compare_exchange_strong(n, &have, have - 1);
}

static bool proxy_commit(struct kv_txn *txn, struct problem *p)
{
	struct proxy *proxy = proxy_of(txn->kv);

	usleep(atomic_load(&proxy->slow_ms) * 1000);
	proxy->wants_room = take(&proxy->full_commits);
	if (proxy->wants_room || take(&proxy->fail_commits)) {
		proxy_abort(txn);
		return problem_unavailable(p, 9, "the disk of the test is full");
	}
	atomic_fetch_add(&proxy->commits, 1);
	bool ok = kv_commit(&((struct proxy_txn *)txn)->below, p);
	free(txn);
	return ok;
}

static bool proxy_get(struct kv_txn *txn, struct bytes key, struct bytes *ret)
{
	return kv_get(below(txn), key, ret);
}

static void proxy_put(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	kv_put(below(txn), key, value);
}

static bool proxy_put_new(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	return kv_put_new(below(txn), key, value);
}

static void proxy_delete(struct kv_txn *txn, struct bytes key)
{
	kv_delete(below(txn), key);
}

static void proxy_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	kv_scan(below(txn), prefix, from, visit, arg);
}

static bool proxy_grow(struct kv *kv, struct problem *p)
{
	struct proxy *proxy = proxy_of(kv);

	(void)p;
	if (!proxy->wants_room)
		return false;
	proxy->wants_room = false;
	atomic_fetch_add(&proxy->grown, 1);
	return true;
}

static void proxy_close(struct kv *kv)
{
	kv_close(proxy_of(kv)->below);
	free(kv);
}

static const struct kv_engine proxy_engine = {
	.begin = proxy_begin, .commit = proxy_commit, .abort = proxy_abort, .get = proxy_get, .put = proxy_put,
	.put_new = proxy_put_new, .delete = proxy_delete, .scan = proxy_scan, .grow = proxy_grow, .close = proxy_close,
};

/* --- fixture --- */

static struct proxy *proxy;
static struct store *store;
static char *folder;

static void proxy_open(struct kv *real)
{
	static const uint8_t key[32];

	proxy = calloc(1, sizeof(*proxy));
	assert_non_null(proxy);
	proxy->kv.engine = &proxy_engine;
	proxy->below = real;
	must(store_open_kv(&proxy->kv, key, &store, p));
	atomic_store(&proxy->commits, 0);
}

static int over_memory(void **state)
{
	struct kv *kv = NULL;

	(void)state;
	must(kv_memory_open(&kv, p));
	proxy_open(kv);
	return 0;
}

static int over_lmdb(void **state)
{
	struct kv *kv = NULL;

	(void)state;
	folder = folder_make();
	must(kv_lmdb_open(folder, NULL, &kv, p));
	proxy_open(kv);
	return 0;
}

static int done(void **state)
{
	(void)state;
	store_close(steal(store));
	if (folder)
		folder_remove(steal(folder));
	return 0;
}

/* --- what the updates do --- */

struct job {
	char key[16];
	bool refuse;          /* after it has written */
	atomic_uint runs;
	atomic_bool started;
	atomic_int thread;    /* of the system's, once it has one */
	atomic_uint *gate;    /* waits, inside the update, until it is not zero */
	bool ok;
	struct problem problem;
};

static bool write_key(struct store_txn *txn, void *arg, struct problem *p)
{
	struct job *job = arg;

	atomic_fetch_add(&job->runs, 1);
	atomic_store(&job->started, true);
	while (job->gate && atomic_load(job->gate) == 0)
		usleep(500);
	kv_put(txn->kv, BYTES_STR("last"), BYTES_STR(job->key));
	kv_put(txn->kv, BYTES_STR(job->key), BYTES_STR("v"));
	if (job->refuse)
		return problem_set(p, PROBLEM_CONFLICT, "refused %s", job->key);
	return kv_check(txn->kv, p);
}

static void *update(void *arg)
{
	struct job *job = arg;

	atomic_store(&job->thread, gettid());
	job->ok = store_update(store, write_key, job, &job->problem);
	return NULL;
}

static bool has_key(struct store_txn *txn, void *arg, struct problem *p)
{
	struct bytes value;

	return kv_get(txn->kv, BYTES_STR(*(const char **)arg), &value) ||
	       problem_set(p, PROBLEM_NOT_FOUND, "no key");
}

static bool stored(const char *key)
{
	struct problem p = {0};

	return store_view(store, has_key, &key, &p);
}

static uint64_t updates_counted(uint64_t *ret_commits)
{
	uint64_t commits, updates;

	store_counters(store, &commits, &updates);
	if (ret_commits)
		*ret_commits = commits;
	return updates;
}

/* Holds the lead inside an update, so that all that come meanwhile are one batch. */
struct held {
	struct job first;
	atomic_uint gate;
	pthread_t thread;
};

static void hold(struct held *held)
{
	memset(held, 0, sizeof(*held));
	strcpy(held->first.key, "first");
	held->first.gate = &held->gate;
	assert_int_equal(pthread_create(&held->thread, NULL, update, &held->first), 0);
	while (!atomic_load(&held->first.started))
		usleep(500);
}

/* Stands in line: there is nothing else that it could wait for. */
static bool is_waiting(struct job *job)
{
	char path[64], text[200] = "";
	const char *after;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&job->thread));
	FILE *f = atomic_load(&job->thread) ? fopen(path, "r") : NULL;
	if (!f)
		return false;
	bool read = fgets(text, sizeof(text), f);
	fclose(f);
	return read && (after = strrchr(text, ')')) && str_starts(after, ") S");
}

/* As soon as the others stand in line. */
static void release(struct held *held, struct job *others, unsigned n)
{
	for (unsigned i = 0, tries = 0; i < n && tries < 20000; i += is_waiting(&others[i]), tries++)
		usleep(500);
	atomic_store(&held->gate, 1);
	pthread_join(held->thread, NULL);
}

enum { JOBS = 20 };
static struct job jobs[JOBS];
static pthread_t threads[JOBS];

static void jobs_start(void (*prepare)(unsigned i, struct job *job))
{
	for (unsigned i = 0; i < JOBS; i++) {
		memset(&jobs[i], 0, sizeof(jobs[i]));
		snprintf(jobs[i].key, sizeof(jobs[i].key), "k%u", i);
		if (prepare)
			prepare(i, &jobs[i]);
		assert_int_equal(pthread_create(&threads[i], NULL, update, &jobs[i]), 0);
	}
}

static void jobs_join(void)
{
	for (unsigned i = 0; i < JOBS; i++)
		pthread_join(threads[i], NULL);
}

/* --- tests --- */

static void test_alone(void **state)
{
	struct job job = { .key = "one" }, refused = { .key = "two", .refuse = true };
	uint64_t commits_before, commits;
	uint64_t before = updates_counted(&commits_before);

	(void)state;
	update(&job);
	assert_true(job.ok);
	assert_int_equal(job.runs, 1);
	update(&refused);
	assert_false(refused.ok);
	assert_int_equal(refused.problem.kind, PROBLEM_CONFLICT);
	assert_true(stored("one"));
	assert_false(stored("two"));
	assert_int_equal(updates_counted(&commits), before + 1);
	assert_int_equal(commits, commits_before + 1);
	assert_int_equal(proxy->commits, 1);
}

static bool only_read(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)p;
	struct bytes value;

	*(bool *)arg = kv_get(txn->kv, BYTES_STR("nothing"), &value);
	return true;
}

static void test_update_that_writes_nothing_is_no_commit(void **state)
{
	uint64_t before, after;
	bool found = true;

	(void)state;
	updates_counted(&before);
	must(store_update(store, only_read, &found, p));
	updates_counted(&after);
	assert_false(found);
	assert_int_equal(before, after);
}

static void test_many_share_a_commit(void **state)
{
	struct held held;
	uint64_t commits_before, commits;
	uint64_t before = updates_counted(&commits_before);

	(void)state;
	hold(&held);
	jobs_start(NULL);
	release(&held, jobs, JOBS);
	jobs_join();
	for (unsigned i = 0; i < JOBS; i++) {
		assert_true(jobs[i].ok);
		assert_true(stored(jobs[i].key));
	}
	assert_int_equal(updates_counted(&commits), before + JOBS + 1);
	assert_true(commits - commits_before < JOBS / 2);
	assert_int_equal(proxy->commits, commits - commits_before);
}

static void refuse_odd(unsigned i, struct job *job)
{
	job->refuse = i % 2 == 1;
}

static void test_refused_alone_among_many(void **state)
{
	struct held held;

	(void)state;
	hold(&held);
	jobs_start(refuse_odd);
	release(&held, jobs, JOBS);
	jobs_join();
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].ok, i % 2 == 0);
		assert_int_equal(stored(jobs[i].key), i % 2 == 0);
		if (i % 2 == 1)
			assert_int_equal(jobs[i].problem.kind, PROBLEM_CONFLICT);
	}
}

static void refuse_all(unsigned i, struct job *job)
{
	(void)i;
	job->refuse = true;
}

static void test_all_refused(void **state)
{
	struct held held;

	(void)state;
	hold(&held);
	jobs_start(refuse_all);
	release(&held, jobs, JOBS);
	jobs_join();
	for (unsigned i = 0; i < JOBS; i++)
		assert_false(jobs[i].ok);
	assert_int_equal(proxy->commits, 1); /* of the one that held the line */
	assert_false(stored("k0"));
}

static void test_commit_that_fails_fails_all(void **state)
{
	struct held held;

	(void)state;
	hold(&held);
	jobs_start(refuse_odd);
	atomic_store(&proxy->fail_commits, 100);
	release(&held, jobs, JOBS);
	jobs_join();
	assert_false(held.first.ok);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_false(jobs[i].ok);
		/* Refused or not: what it saw of the others was never true. One that came alone may
		 * have been refused for its own reason. */
		if (i % 2 == 0)
			assert_int_equal(jobs[i].problem.kind, PROBLEM_UNAVAILABLE);
		if (jobs[i].problem.kind == PROBLEM_UNAVAILABLE)
			assert_int_equal(jobs[i].problem.retry_after, 9);
		assert_false(stored(jobs[i].key));
	}
	atomic_store(&proxy->fail_commits, 0);
	struct job after = { .key = "after" };
	update(&after);
	assert_true(after.ok);
}

static void test_batch_runs_again_when_the_map_has_grown(void **state)
{
	struct held held;

	(void)state;
	hold(&held);
	jobs_start(refuse_odd);
	atomic_store(&proxy->full_commits, 3);
	release(&held, jobs, JOBS);
	jobs_join();
	assert_int_equal(proxy->grown, 3);
	assert_true(held.first.ok);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].ok, i % 2 == 0);
		assert_int_equal(stored(jobs[i].key), i % 2 == 0);
		assert_int_equal(problem_is_set(&jobs[i].problem), i % 2 == 1);
	}
}

/* Each of the others keeps the line busy: nobody may wait for more than a batch or two. */
static atomic_bool stop;

static void *keep_busy(void *arg)
{
	struct job *job = arg;

	while (!atomic_load(&stop))
		update(job);
	return NULL;
}

static void test_nobody_starves(void **state)
{
	struct job busy[4] = { { .key = "b0" }, { .key = "b1" }, { .key = "b2" }, { .key = "b3" } };
	pthread_t busy_threads[4];
	struct job one = { .key = "one" };

	(void)state;
	atomic_store(&stop, false);
	atomic_store(&proxy->slow_ms, 2);
	for (size_t i = 0; i < array_length(busy); i++)
		assert_int_equal(pthread_create(&busy_threads[i], NULL, keep_busy, &busy[i]), 0);
	unsigned before = atomic_load(&proxy->commits);
	for (unsigned i = 0; i < 10; i++) {
		update(&one);
		assert_true(one.ok);
	}
	assert_true(atomic_load(&proxy->commits) - before < 200); /* room for a busy machine */
	atomic_store(&stop, true);
	for (size_t i = 0; i < array_length(busy); i++)
		pthread_join(busy_threads[i], NULL);
}

/* More than one batch holds. */
static void test_long_line(void **state)
{
	enum { MANY = 300 };
	static struct job many[MANY];
	static pthread_t many_threads[MANY];
	struct held held;

	(void)state;
	hold(&held);
	for (unsigned i = 0; i < MANY; i++) {
		memset(&many[i], 0, sizeof(many[i]));
		snprintf(many[i].key, sizeof(many[i].key), "m%u", i);
		assert_int_equal(pthread_create(&many_threads[i], NULL, update, &many[i]), 0);
	}
	release(&held, many, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		pthread_join(many_threads[i], NULL);
		assert_true(many[i].ok);
		assert_true(stored(many[i].key));
	}
}

#define BOTH(test)                                                            \
	{ #test " (lmdb)", test, over_lmdb, done, NULL },                     \
	{ #test " (memory)", test, over_memory, done, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH(test_alone),
		BOTH(test_update_that_writes_nothing_is_no_commit),
		BOTH(test_many_share_a_commit),
		BOTH(test_refused_alone_among_many),
		BOTH(test_all_refused),
		BOTH(test_commit_that_fails_fails_all),
		BOTH(test_batch_runs_again_when_the_map_has_grown),
		BOTH(test_nobody_starves),
		BOTH(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
