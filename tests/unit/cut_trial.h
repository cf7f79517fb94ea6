/* What is looked at after the power went, or a process died: a folder with a store and its disk, and whether what a cut left of it
 * is a store that has lost nothing. */
#pragma once

#include "tests/unit/cut_world.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "store/folder.h"

static char *folder, *live;
static struct power *disk;
static bool refusals_hold = true; /* what was refused is never there; of a disk that fails nobody can tell */

static inline int setup(void **state)
{
	(void)state;
	folder = folder_make();
	live = mem_printf("%s/live", folder);
	assert_int_equal(mkdir(live, 0700), 0);
	disk = power_watch(live, "lock.mdb");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	power_hook_set(NULL, NULL);
	refusals_hold = true;
	power_end(steal(disk));
	free(steal(live));
	folder_remove(steal(folder));
	return 0;
}

/* How many of a thing a test tries: CUT_SEEDS is for longer runs. */
static inline unsigned seeds(unsigned usual)
{
	const char *wanted = getenv("CUT_SEEDS");

	return wanted ? (unsigned)strtoul(wanted, NULL, 10) : usual;
}

/* --- what is looked at after a cut --- */

struct trial {
	size_t point;
	uint64_t seed;
	unsigned least, most;  /* updates */
	unsigned again;        /* so many points of the recovery at which the power goes once more; UINT_MAX: all */
	bool backup;
	bool quiet;            /* LMDB says on stderr what it stumbles over */
};

static inline bool wrong(char why[256], const char *what, struct problem *p)
{
	snprintf(why, 256, "%s: %.200s", what, problem_cause(p));
	return false;
}

static inline bool open_kv(const char *path, bool read_only, struct kv **ret, char why[256])
{
	const struct kv_options options = { .map_size = 64 * 1024, .read_only = read_only };
	struct problem p = {0};

	return kv_lmdb_open(path, &options, ret, &p) ? true : wrong(why, "open", &p);
}

/* As the one server of the store, which may write in a way of its own. */
static inline bool open_server(const char *path, struct kv **ret, char why[256])
{
	struct problem p = {0};

	return open_kv(path, false, ret, why) && (kv_own(*ret, &p) || wrong(why, "own", &p));
}

static inline bool update_kv(struct kv *kv, struct power *log, char why[256])
{
	struct kv_txn *txn = NULL;
	struct problem p = {0};
	unsigned n;

	do {
		if (!kv_begin(kv, KV_WRITE, &txn, &p))
			return wrong(why, "begin", &p);
		n = world_update(txn, log);
		if (kv_commit(&txn, &p)) {
			power_mark(log, POWER_DONE, n);
			return true;
		}
	} while (kv_grow(kv, &p));
	if (refusals_hold)
		power_mark(log, POWER_REFUSED, n);
	return wrong(why, "commit", &p);
}

/* A store that is found is whole, and can be written; and so it is for who reads only. */
static inline bool go_on(const char *path, struct power *log, struct kv *kv, unsigned *last, bool backup, char why[256])
{
	auto_free char *copy = mem_printf("%s/copy", path);
	auto_struct(kv) *other = NULL;
	struct problem p = {0};

	for (unsigned i = 0; i < 3; i++)
		if (!update_kv(kv, log, why) || !world_check(kv, *last + 1, *last + 1, last, why))
			return false;
	if (!backup)
		return true;
	/* It walks the whole tree, and refuses to be made when a page is lost. */
	if (mkdir(copy, 0700) != 0 || !kv_backup(kv, copy, &p))
		return wrong(why, "backup", &p);
	return open_kv(copy, true, &other, why) && world_check(other, *last, *last, last, why);
}

/* From the point on at which it was open, it cannot be older than what was seen then. */
static inline bool cut_again(struct power *log, size_t point, uint64_t seed, unsigned least, char why[256])
{
	auto_free char *path = mem_printf("%s/again", folder);
	auto_struct(kv) *kv = NULL;
	unsigned done = (unsigned)power_marked(log, point, POWER_DONE), most = (unsigned)power_marked(log, point, POWER_BEGUN), last;

	assert(mkdir(path, 0700) == 0);
	power_cut(log, point, seed, path);
	bool ok = open_kv(path, false, &kv, why) &&
	          world_check(kv, done > least ? done : least, most > least ? most : least, &last, why);
	kv_close(steal(kv));
	folder_remove(steal(path));
	if (!ok)
		snprintf(why + strlen(why), 256 - strlen(why), " (second cut at %zu, seed %llu)", point, (unsigned long long)seed);
	return ok;
}

static inline bool cuts_again(struct power *log, const struct trial *t, unsigned least, char why[256])
{
	size_t begin = power_begin(log), points = power_now(log) - begin + 1;

	if (t->again == UINT_MAX) {
		for (size_t i = 0; i < points; i++)
			if (!cut_again(log, begin + i, t->seed + i, least, why))
				return false;
		return true;
	}
	for (unsigned i = 0; i < t->again; i++)
		if (!cut_again(log, begin + world_roll(t->seed, 1000 + i) % points, world_roll(t->seed, 2000 + i), least, why))
			return false;
	return true;
}

static inline bool look(const char *path, const struct trial *t, char why[256])
{
	struct power *log = power_watch(path, "lock.mdb");
	auto_struct(kv) *kv = NULL;
	unsigned found = 0, last;

	bool server = t->seed / POWER_SEEDS_EACH % 3 != 2;
	bool ok = (server ? open_server(path, &kv, why) : open_kv(path, false, &kv, why)) &&
	          world_check(kv, t->least, t->most, &found, why);
	last = found;
	ok = ok && go_on(path, log, kv, &last, t->backup, why);
	kv_close(steal(kv));
	ok = ok && open_kv(path, true, &kv, why) && world_check(kv, last, last, &last, why);
	ok = ok && power_check(log, why) && cuts_again(log, t, found, why);
	power_end(log);
	return ok;
}

/* cmocka would go on with the tests in the child. */
static inline void signals_default(void)
{
	static const int signals[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };

	for (size_t i = 0; i < array_length(signals); i++)
		signal(signals[i], SIG_DFL);
}

/* In a process of its own, since a torn tree can make LMDB do anything. */
static inline bool look_apart(const char *path, const struct trial *t, char why[256])
{
	int fds[2], status;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = child_start();
	if (pid == 0) {
		signals_default();
		if (t->quiet)
			fclose(stderr);
		alarm(60);
		bool ok = look(path, t, why);
		_exit(ok || write(fds[1], why, 256) != 256 ? 0 : 1);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (read(fds[0], why, 256) != 256)
		snprintf(why, 256, "ended by signal %d", WTERMSIG(status));
	close(fds[0]);
	return status == 0;
}

typedef void end_fn(struct power *disk, size_t point, uint64_t seed, const char *folder);

static inline bool survives(end_fn *end, const struct trial *t, char why[256])
{
	auto_free char *path = mem_printf("%s/cut", folder);

	assert_int_equal(mkdir(path, 0700), 0);
	end(disk, t->point, t->seed, path);
	bool ok = look_apart(path, t, why);
	folder_remove(steal(path));
	return ok;
}

static inline struct trial trial_at(size_t point, uint64_t seed)
{
	return (struct trial){
		.point = point,
		.seed = seed,
		.least = (unsigned)power_marked(disk, point, POWER_DONE),
		.most = (unsigned)power_marked(disk, point, POWER_BEGUN),
	};
}

static inline void want_survival(end_fn *end, const struct trial *t)
{
	char why[256];

	if (!survives(end, t, why))
		fail_msg("%s at %zu, seed %llu: %s", end == power_cut ? "cut" : "killed", t->point, (unsigned long long)t->seed, why);
}

static inline void want_log_whole(void)
{
	char why[256];

	if (!power_check(disk, why))
		fail_msg("%s", why);
}

static inline void want_survival_anywhere(size_t begin, unsigned many)
{
	for (unsigned i = 0; i < many; i++) {
		size_t points = power_now(disk) - begin + 1, point = begin + world_roll(i, 1) % points;

		/* Around its flushes a store has most to lose. */
		if (i / 5 % 2 == 1)
			point = power_flush(disk, world_roll(i, 2)) + world_roll(i, 1) % 9 - 3;
		point = point < begin ? begin : point > power_now(disk) ? power_now(disk) : point;
		struct trial t = trial_at(point, i);

		t.again = i % 4 == 0 ? 3 : 0;
		t.backup = i % 8 == 0;
		want_survival(i % 5 == 4 ? power_kill : power_cut, &t);
	}
}

/* --- what is written before it --- */

/* With one update, from which on the store is there. */
static inline struct kv *begin_workload(bool server)
{
	struct kv *kv = NULL;
	char why[256];

	if (!(server ? open_server(live, &kv, why) : open_kv(live, false, &kv, why)) || !update_kv(kv, disk, why))
		fail_msg("%s", why);
	must(file_sync_folder(live, p));
	return kv;
}
