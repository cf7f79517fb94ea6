/* The engine on LMDB: the whole store is the unnamed database of one environment.
 *
 * The map may only be changed while no transaction of this process is open: each holds `map` for
 * reading, from its begin to its end. Read transactions are kept and renewed, since taking a slot
 * of the readers' table is most of what beginning one costs. */
#include "store/kv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	READERS_MAX = 2048,     /* more than the threads of a server and its commands */
	POOL_MAX = 64,          /* read transactions kept for reuse */
	MAP_WAIT_SECONDS = 10,  /* for the transactions of other threads to end */
	RETRY_FULL = 30,
	RETRY_SOON = 5,
};
#define MAP_FIRST (UINT64_C(64) << 20)
#define MAP_MAX (UINT64_C(1) << 40)

struct lmdb_txn {
	struct kv_txn txn;
	MDB_txn *mdb;
	struct lmdb_txn *next;
};
struct lmdb {
	struct kv kv;
	char *folder;
	struct kv_options options;
	MDB_env *env;           /* NULL: could not be opened again */
	MDB_dbi dbi;
	pthread_rwlock_t map;
	pthread_mutex_t lock;   /* pool, wants_room */
	struct lmdb_txn *pool;
	size_t pooled;
	bool wants_room;        /* the last write transaction ended for want of room in the map */
};

static struct lmdb *lmdb_of(struct kv_txn *txn)
{
	return (struct lmdb *)txn->kv;
}

static bool is_full_disk(int rc)
{
	return rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

/* A write that was cut short, as by a disk that has just become full, is EIO to LMDB. */
static bool refuse(struct problem *p, const char *what, int rc)
{
	if (is_full_disk(rc))
		return problem_unavailable(p, RETRY_FULL, "%s: disk full: %s", what, mdb_strerror(rc));
	if (rc == EIO)
		return problem_unavailable(p, RETRY_FULL, "%s: disk full or failing: %s", what, mdb_strerror(rc));
	if (rc == ENOMEM)
		return problem_memory(p);
	return problem_unavailable(p, RETRY_SOON, "%s: %s", what, mdb_strerror(rc));
}

static void set_wants_room(struct lmdb *db, bool wants)
{
	pthread_mutex_lock(&db->lock);
	db->wants_room = wants;
	pthread_mutex_unlock(&db->lock);
}

static void fail(struct kv_txn *txn, const char *what, int rc)
{
	struct problem p = {0};

	if (txn->write)
		set_wants_room(lmdb_of(txn), rc == MDB_MAP_FULL);
	refuse(&p, what, rc);
	kv_fail(txn, &p);
}

/* --- the environment --- */

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
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	int rc = 0;

	for (size_t i = 0; i < array_length(names) && rc == 0; i++) {
		auto_free char *path = mem_printf("%s/%s", db->folder, names[i]);
		struct stat st;

		if (!path)
			return ENOMEM;
		if (stat(path, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) != 0600 && chmod(path, 0600) != 0)
			rc = errno;
	}
	return rc;
}

static int env_open(struct lmdb *db)
{
	unsigned flags = MDB_NOTLS | (db->options.read_only ? MDB_RDONLY : 0);
	MDB_env *env;
	int dead, rc = mdb_env_create(&env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(env, db->options.map_size)) == 0 &&
	    (rc = mdb_env_set_maxreaders(env, db->options.readers_max)) == 0 &&
	    (rc = mdb_env_open(env, db->folder, flags, 0600)) == 0 &&
	    (rc = db->options.read_only ? 0 : narrow_files(db)) == 0 &&
	    (rc = mdb_reader_check(env, &dead)) == 0)
		rc = dbi_open(env, &db->dbi);
	if (rc != 0) {
		mdb_env_close(env);
		return rc;
	}
	db->env = env;
	return 0;
}

static void pool_clear(struct lmdb *db)
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
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += MAP_WAIT_SECONDS;
	if (pthread_rwlock_timedwrlock(&db->map, &until) != 0)
		return problem_unavailable(p, RETRY_SOON, "the map cannot change: a transaction is open too long");
	return true;
}

static int map_resize(struct lmdb *db, size_t size)
{
	int rc = db->env ? mdb_env_set_mapsize(db->env, size) : MDB_PANIC;

	if (rc == 0)
		return 0;
	/* The old map is gone: LMDB unmaps first. The next transaction opens the environment anew. */
	pool_clear(db);
	mdb_env_close(db->env);
	db->env = NULL;
	return rc;
}

static int env_reopen(struct lmdb *db)
{
	MDB_envinfo info;
	bool alive = db->env && mdb_env_info(db->env, &info) == 0;

	pool_clear(db);
	if (alive && info.me_mapsize > db->options.map_size)
		db->options.map_size = info.me_mapsize;
	if (db->env)
		mdb_env_close(db->env);
	db->env = NULL;
	return env_open(db);
}

/* What can be done about a transaction that would not begin. */
static bool mend(struct lmdb *db, int rc, struct problem *p)
{
	int dead, mended = rc;

	if (rc == MDB_READERS_FULL)
		return mdb_reader_check(db->env, &dead) == 0 && dead > 0 ? true : refuse(p, "readers", rc);
	if (rc != MDB_MAP_RESIZED && rc != MDB_PANIC)
		return refuse(p, "begin", rc);
	if (!map_lock(db, p))
		return false;
	/* Another process has made the store larger than our map; or a write of LMDB's own header
	 * failed, after which it wants to be opened again. */
	mended = rc == MDB_MAP_RESIZED ? map_resize(db, 0) : env_reopen(db);
	pthread_rwlock_unlock(&db->map);
	return mended == 0 ? true : refuse(p, "begin", mended);
}

/* --- transactions --- */

static struct lmdb_txn *pool_take(struct lmdb *db)
{
	pthread_mutex_lock(&db->lock);
	struct lmdb_txn *t = db->pool;
	if (t) {
		db->pool = t->next;
		db->pooled--;
	}
	pthread_mutex_unlock(&db->lock);
	return t;
}

static bool pool_give(struct lmdb *db, struct lmdb_txn *t)
{
	pthread_mutex_lock(&db->lock);
	bool kept = db->pooled < POOL_MAX;
	if (kept) {
		t->next = db->pool;
		db->pool = t;
		db->pooled++;
	}
	pthread_mutex_unlock(&db->lock);
	return kept;
}

static int read_begin(struct lmdb *db, struct lmdb_txn **ret)
{
	struct lmdb_txn *t = pool_take(db);
	int rc;

	if (t) {
		rc = mdb_txn_renew(t->mdb);
	} else if ((t = calloc(1, sizeof(*t)))) {
		rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &t->mdb);
	} else {
		return ENOMEM;
	}
	if (rc != 0) {
		if (t->mdb)
			mdb_txn_abort(t->mdb);
		free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

static int write_begin(struct lmdb *db, struct lmdb_txn **ret)
{
	auto_free struct lmdb_txn *t = calloc(1, sizeof(*t));
	int rc = t ? mdb_txn_begin(db->env, NULL, 0, &t->mdb) : ENOMEM;

	if (rc != 0)
		return rc;
	set_wants_room(db, false);
	t->txn.write = true;
	*ret = steal(t);
	return 0;
}

static bool lmdb_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p)
{
	struct lmdb *db = (struct lmdb *)kv;

	if (mode == KV_WRITE && db->options.read_only)
		return problem_set(p, PROBLEM_CONFLICT, "the store in %s is open for reading only", db->folder);
	for (int tries = 0;; tries++) {
		struct lmdb_txn *t = NULL;

		pthread_rwlock_rdlock(&db->map);
		int rc = !db->env ? MDB_PANIC : mode == KV_WRITE ? write_begin(db, &t) : read_begin(db, &t);
		if (rc == 0) {
			t->txn.kv = kv;
			*ret = &t->txn;
			return true;
		}
		pthread_rwlock_unlock(&db->map);
		if (tries == 3)
			return refuse(p, "begin", rc);
		if (!mend(db, rc, p))
			return false;
	}
}

static void read_end(struct lmdb *db, struct lmdb_txn *t)
{
	if (!t->txn.failed) {
		mdb_txn_reset(t->mdb);
		if (pool_give(db, t))
			return;
	}
	mdb_txn_abort(t->mdb);
	free(t);
}

static void lmdb_abort(struct kv_txn *txn)
{
	struct lmdb *db = lmdb_of(txn);
	struct lmdb_txn *t = (struct lmdb_txn *)txn;

	if (txn->write) {
		mdb_txn_abort(t->mdb);
		free(t);
	} else {
		read_end(db, t);
	}
	pthread_rwlock_unlock(&db->map);
}

static bool lmdb_commit(struct kv_txn *txn, struct problem *p)
{
	struct lmdb *db = lmdb_of(txn);
	struct lmdb_txn *t = (struct lmdb_txn *)txn;
	int rc = mdb_txn_commit(t->mdb); /* frees it, whatever comes out */

	set_wants_room(db, rc == MDB_MAP_FULL);
	free(t);
	pthread_rwlock_unlock(&db->map);
	return rc == 0 ? true : refuse(p, "commit", rc);
}

/* --- reading and writing --- */

static MDB_val val(struct bytes b)
{
	/* mv_data is not const, yet LMDB only reads what it is given. */
	union { const void *from; void *to; } data = { .from = b.data };

	return (MDB_val){ .mv_size = b.len, .mv_data = data.to };
}

static bool lmdb_get(struct kv_txn *txn, struct bytes key, struct bytes *ret)
{
	MDB_val k = val(key), v;
	int rc = mdb_get(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, &v);

	if (rc == 0)
		*ret = BYTES(v.mv_data, v.mv_size);
	else if (rc != MDB_NOTFOUND)
		fail(txn, "get", rc);
	return rc == 0;
}

static int put(struct kv_txn *txn, struct bytes key, struct bytes value, unsigned flags)
{
	MDB_val k = val(key), v = val(value);
	int rc = mdb_put(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, &v, flags);

	if (rc != 0 && rc != MDB_KEYEXIST)
		fail(txn, "put", rc);
	return rc;
}

static void lmdb_put(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	(void)put(txn, key, value, 0);
}

static bool lmdb_put_new(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	return put(txn, key, value, MDB_NOOVERWRITE) == 0;
}

static void lmdb_delete(struct kv_txn *txn, struct bytes key)
{
	MDB_val k = val(key);
	int rc = mdb_del(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, NULL);

	if (rc != 0 && rc != MDB_NOTFOUND)
		fail(txn, "delete", rc);
}

static bool begins_before(struct bytes from, struct bytes prefix)
{
	size_t n = from.len < prefix.len ? from.len : prefix.len;
	int c = n > 0 ? memcmp(from.data, prefix.data, n) : 0;

	return c < 0 || (c == 0 && from.len < prefix.len);
}

static int scan(MDB_cursor *cursor, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	MDB_val k = val(begins_before(from, prefix) ? prefix : from), v;
	int rc = mdb_cursor_get(cursor, &k, &v, k.mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);

	while (rc == 0) {
		if (k.mv_size < prefix.len || !bytes_equal(BYTES(k.mv_data, prefix.len), prefix))
			return 0;
		if (!visit(arg, BYTES(k.mv_data, k.mv_size), BYTES(v.mv_data, v.mv_size)))
			return 0;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static void lmdb_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &cursor);

	if (rc == 0) {
		rc = scan(cursor, prefix, from, visit, arg);
		mdb_cursor_close(cursor);
	}
	if (rc != 0)
		fail(txn, "scan", rc);
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
		return problem_unavailable(p, RETRY_FULL, "disk full: the store has reached its largest size, %llu bytes",
		                           (unsigned long long)max);
	int rc = map_resize(db, size * 2 > max ? max : size * 2);
	return rc == 0 ? true : refuse(p, "map growth", rc);
}

static bool lmdb_grow(struct kv *kv, struct problem *p)
{
	struct lmdb *db = (struct lmdb *)kv;
	int dead;

	pthread_mutex_lock(&db->lock);
	bool wanted = db->wants_room;
	db->wants_room = false;
	pthread_mutex_unlock(&db->lock);
	if (!wanted || !map_lock(db, p))
		return false;
	/* A reader that died in another process keeps pages from being used again. */
	if (db->env)
		mdb_reader_check(db->env, &dead);
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

static bool lmdb_backup(struct kv *kv, const char *folder, struct problem *p)
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
	return refuse(p, part, rc);
}

static void lmdb_close(struct kv *kv)
{
	struct lmdb *db = (struct lmdb *)kv;

	pool_clear(db);
	if (db->env)
		mdb_env_close(db->env);
	pthread_rwlock_destroy(&db->map);
	pthread_mutex_destroy(&db->lock);
	free(db->folder);
	free(db);
}

static const struct kv_engine lmdb_engine = {
	.begin = lmdb_begin,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.get = lmdb_get,
	.put = lmdb_put,
	.put_new = lmdb_put_new,
	.delete = lmdb_delete,
	.scan = lmdb_scan,
	.backup = lmdb_backup,
	.grow = lmdb_grow,
	.close = lmdb_close,
};

/* Writers of the lock go first: a stream of readers must not keep the map from growing. */
static void locks_init(struct lmdb *db)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&db->map, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&db->lock, NULL);
}

static uint64_t whole_pages(uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

bool kv_lmdb_open(const char *folder, const struct kv_options *options, struct kv **ret, struct problem *p)
{
	struct lmdb *db = calloc(1, sizeof(*db));

	if (!db)
		return problem_memory(p);
	db->kv.engine = &lmdb_engine;
	locks_init(db);
	if (options)
		db->options = *options;
	db->options.map_size = whole_pages(db->options.map_size > 0 ? db->options.map_size : MAP_FIRST);
	db->options.map_max = whole_pages(db->options.map_max > 0 ? db->options.map_max : MAP_MAX);
	if (db->options.readers_max == 0)
		db->options.readers_max = READERS_MAX;
	db->folder = strdup(folder);
	int rc = db->folder ? env_open(db) : ENOMEM;
	if (rc == 0) {
		*ret = &db->kv;
		return true;
	}
	lmdb_close(&db->kv);
	return rc == ENOENT ? problem_set(p, PROBLEM_NOT_FOUND, "there is no store in %s", folder)
	                    : problem_internal(p, "%s/data.mdb: %s", folder, mdb_strerror(rc));
}
