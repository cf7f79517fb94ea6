#include "store/kv_lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum {
	MAP_WAIT_SECONDS = 10,  /* for the transactions of other threads to end */
	RETRY_FULL = 30,
	RETRY_SOON = 5,
};

static bool is_full_disk(int rc)
{
	return rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

/* A write that was cut short, as by a disk that has just become full, is EIO to LMDB. */
bool lmdb_refuse(struct problem *p, const char *what, int rc)
{
	if (is_full_disk(rc))
		return problem_unavailable(p, RETRY_FULL, "%s: disk full: %s", what, mdb_strerror(rc));
	if (rc == EIO)
		return problem_unavailable(p, RETRY_FULL, "%s: disk full or failing: %s", what, mdb_strerror(rc));
	if (rc == ENOMEM)
		return problem_memory(p);
	return problem_unavailable(p, RETRY_SOON, "%s: %s", what, mdb_strerror(rc));
}

MDB_val lmdb_val(struct bytes b)
{
	union { const void *from; void *to; } data = { .from = b.data };

	return (MDB_val){ .mv_size = b.len, .mv_data = data.to };
}

static int dbi_open(MDB_env *env, MDB_dbi *ret)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc == 0) {
		rc = mdb_dbi_open(txn, NULL, 0, ret);
		mdb_txn_abort(txn);
	}
	return rc;
}

/* The files are ours alone whatever the umask: LMDB's mode can only be narrowed by it. */
static int narrow_files(const struct lmdb *db)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "journal" };
	int rc = 0;

	for (size_t i = 0; i < array_length(names) && rc == 0; i++) {
		auto_free char *path = mem_printf("%s/%s", db->folder, names[i]);
		struct stat st;

		if (!path)
			return ENOMEM;
		file_give(path);
		if (stat(path, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) != 0600 &&
		    chmod(path, 0600) != 0)
			rc = errno;
	}
	return rc;
}

static int env_open(struct lmdb *db)
{
	unsigned flags = MDB_NOTLS | (db->options.read_only ? MDB_RDONLY : 0) |
	                 (db->options.random_access ? MDB_NORDAHEAD : 0);
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(env, db->options.map_size)) == 0 &&
	    (rc = mdb_env_set_maxreaders(env, db->options.readers_max)) == 0 &&
	    (rc = mdb_env_open(env, db->folder, flags, 0600)) == 0 &&
	    (rc = db->options.read_only ? 0 : narrow_files(db)) == 0)
		rc = dbi_open(env, &db->dbi);
	if (rc != 0) {
		mdb_env_close(env);
		return rc;
	}
	db->env = env;
	return 0;
}

void lmdb_env_close(struct lmdb *db, bool whole)
{
	lmdb_pool_clear(db);
	lmdb_journal_leave(db, whole);
	if (db->env)
		mdb_env_close(db->env);
	db->env = NULL;
}

/* Whether readers of processes that died have left places; they are free now. */
static bool drop_dead_readers(struct lmdb *db)
{
	int dead = 0;

	/* The dead may have been the server, whose place keeps the journal's base. */
	if (!db->env || (!db->options.read_only && lmdb_journal_settle(db) != 0))
		return false;
	return mdb_reader_check(db->env, &dead) == 0 && dead > 0;
}

int lmdb_env_open(struct lmdb *db)
{
	int rc = lmdb_journal_before_open(db);

	if (rc == 0)
		rc = lmdb_journal_after_open(db, env_open(db));
	if (rc == 0 && db->journal.server)
		rc = lmdb_journal_own(db);
	if (rc != 0)
		lmdb_env_close(db, false);
	else if (!db->options.read_only)
		(void)drop_dead_readers(db);
	return rc;
}

void lmdb_pool_clear(struct lmdb *db)
{
	while (db->pool) {
		struct lmdb_txn *t = db->pool;

		db->pool = t->next;
		mdb_txn_abort(t->mdb);
		free(t);
	}
	db->pooled = 0;
}

/* Waits until no transaction of this process is open. */
static bool map_lock(struct lmdb *db, struct problem *p)
{
	return clock_wrlock(&db->map, MAP_WAIT_SECONDS * 1000) ||
	       problem_unavailable(p, RETRY_SOON, "the map cannot change: a transaction is open too long");
}

static int map_resize(struct lmdb *db, size_t size)
{
	int rc = db->env ? mdb_env_set_mapsize(db->env, size) : MDB_PANIC;

	if (rc == 0)
		return 0;
	/* The old map is gone: LMDB unmaps first. The next transaction opens the environment anew. */
	lmdb_env_close(db, false);
	return rc;
}

static int env_reopen(struct lmdb *db)
{
	MDB_envinfo info;
	bool alive = db->env && mdb_env_info(db->env, &info) == 0;

	if (alive && info.me_mapsize > db->options.map_size)
		db->options.map_size = info.me_mapsize;
	lmdb_env_close(db, false);
	return lmdb_env_open(db);
}

static bool mend_readers(struct lmdb *db)
{
	pthread_rwlock_rdlock(&db->map);
	bool mended = drop_dead_readers(db);
	pthread_rwlock_unlock(&db->map);
	return mended;
}

bool lmdb_mend(struct lmdb *db, int rc, struct problem *p)
{
	if (rc == MDB_READERS_FULL)
		return mend_readers(db) || lmdb_refuse(p, "readers", rc);
	if (rc != MDB_MAP_RESIZED && rc != MDB_PANIC)
		return lmdb_refuse(p, "begin", rc);
	if (!map_lock(db, p))
		return false;
	/* Another process has made the store larger than our map; or a write of LMDB's own header
	 * failed, after which it wants to be opened again. */
	int mended = rc == MDB_MAP_RESIZED ? map_resize(db, 0) : env_reopen(db);
	pthread_rwlock_unlock(&db->map);
	return mended == 0 ? true : lmdb_refuse(p, "begin", mended);
}

/* --- the whole store --- */

static uint64_t map_size(struct lmdb *db)
{
	MDB_envinfo info;

	return mdb_env_info(db->env, &info) == 0 ? info.me_mapsize : db->options.map_size;
}

static bool map_double(struct lmdb *db, struct problem *p)
{
	uint64_t size = db->env ? map_size(db) : 0, max = db->options.map_max;

	if (size >= max)
		return problem_unavailable(p, RETRY_FULL,
		                           "disk full: the store has reached its largest size, %llu bytes",
		                           (unsigned long long)max);
	int rc = map_resize(db, size * 2 > max ? max : size * 2);
	return rc == 0 ? true : lmdb_refuse(p, "map growth", rc);
}

bool lmdb_grow(struct kv *kv, struct problem *p)
{
	struct lmdb *db = (struct lmdb *)kv;

	pthread_mutex_lock(&db->lock);
	bool wanted = db->wants_room;
	db->wants_room = false;
	pthread_mutex_unlock(&db->lock);
	if (!wanted || !map_lock(db, p))
		return false;
	/* A reader that died in another process keeps pages from being used again. */
	(void)drop_dead_readers(db);
	bool ok = map_double(db, p);
	pthread_rwlock_unlock(&db->map);
	return ok;
}

static int copy_to(struct lmdb *db, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	pthread_rwlock_rdlock(&db->map);
	int rc = db->env ? mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT) : MDB_PANIC;
	pthread_rwlock_unlock(&db->map);
	if (rc == 0 && (fchmod(fd, 0600) != 0 || fsync(fd) != 0))
		rc = errno;
	if (close(fd) != 0 && rc == 0)
		rc = errno;
	return rc;
}

/* Room for a good while of writes: the map cannot grow during a copy. */
static bool backup_headroom(struct lmdb *db, struct problem *p)
{
	MDB_envinfo info;
	MDB_stat st;

	if (!map_lock(db, p))
		return false;
	bool ok = true;
	if (db->env && mdb_env_info(db->env, &info) == 0 && mdb_env_stat(db->env, &st) == 0 &&
	    (info.me_last_pgno + 1) * st.ms_psize > info.me_mapsize / 2 && info.me_mapsize < db->options.map_max)
		ok = map_double(db, p);
	pthread_rwlock_unlock(&db->map);
	return ok;
}

bool lmdb_backup(struct kv *kv, const char *folder, struct problem *p)
{
	struct lmdb *db = (struct lmdb *)kv;
	auto_free char *part = mem_printf("%s/data.mdb.part", folder);
	auto_free char *path = mem_printf("%s/data.mdb", folder);

	if (!part || !path)
		return problem_memory(p);
	if (!db->options.read_only && !backup_headroom(db, p))
		return false;
	/* The name comes last, so that a copy cut short is not taken for a whole one. */
	int rc = copy_to(db, part);
	if (rc == 0 && rename(part, path) != 0)
		rc = errno;
	if (rc == 0)
		return true;
	if (rc != EEXIST)
		unlink(part);
	return lmdb_refuse(p, part, rc);
}
