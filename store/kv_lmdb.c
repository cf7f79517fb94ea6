/* The engine on LMDB: the whole store is the unnamed database of one environment.
 * store/kv_lmdb_env.h has the environment. */
#include "store/kv_lmdb_env.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

enum {
	READERS_MAX = 2048,     /* more than the threads of a server and its commands */
	POOL_MAX = 64,          /* read transactions kept for reuse */
};
#define MAP_FIRST (UINT64_C(64) << 20)
#define MAP_MAX (UINT64_C(1) << 40)

static struct lmdb *lmdb_of(struct kv_txn *txn)
{
	return (struct lmdb *)txn->kv;
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
	lmdb_refuse(&p, what, rc);
	kv_fail(txn, &p);
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

	if (rc == 0 && (rc = lmdb_journal_begin(db, t->mdb)) != 0)
		mdb_txn_abort(t->mdb);
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
			return lmdb_refuse(p, "begin", rc);
		if (!lmdb_mend(db, rc, p))
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
	int rc = lmdb_journal_commit(db, t->mdb);

	if (rc != 0)
		mdb_txn_abort(t->mdb);
	else if ((rc = mdb_txn_commit(t->mdb)) != 0)  /* frees it, whatever comes out */
		lmdb_journal_settle(db);              /* what is recorded of it goes before anything else can */
	set_wants_room(db, rc == MDB_MAP_FULL);
	free(t);
	pthread_rwlock_unlock(&db->map);
	return rc == 0 ? true : lmdb_refuse(p, "commit", rc);
}

/* --- reading and writing --- */

static bool lmdb_get(struct kv_txn *txn, struct bytes key, struct bytes *ret)
{
	MDB_val k = lmdb_val(key), v;
	int rc = mdb_get(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, &v);

	if (rc == 0)
		*ret = BYTES(v.mv_data, v.mv_size);
	else if (rc != MDB_NOTFOUND)
		fail(txn, "get", rc);
	return rc == 0;
}

static int put(struct kv_txn *txn, struct bytes key, struct bytes value, unsigned flags)
{
	MDB_val k = lmdb_val(key), v = lmdb_val(value);
	int rc = mdb_put(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, &v, flags);

	if (rc == 0)
		lmdb_journal_put(lmdb_of(txn), key, value);
	else if (rc != MDB_KEYEXIST)
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
	MDB_val k = lmdb_val(key);
	int rc = mdb_del(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &k, NULL);

	if (rc == 0)
		lmdb_journal_delete(lmdb_of(txn), key);
	else if (rc != MDB_NOTFOUND)
		fail(txn, "delete", rc);
}

/* To the first key that is not before the bound; without one to the first of all. */
static int seek(MDB_cursor *cursor, struct bytes from, MDB_val *k, MDB_val *v)
{
	*k = lmdb_val(from);
	return mdb_cursor_get(cursor, k, v, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
}

/* To the last key before the bound; without one to the last of all. */
static int seek_back(MDB_cursor *cursor, struct bytes before, MDB_val *k, MDB_val *v)
{
	*k = lmdb_val(before);
	int rc = before.len > 0 ? mdb_cursor_get(cursor, k, v, MDB_SET_RANGE) : MDB_NOTFOUND;
	return mdb_cursor_get(cursor, k, v, rc == 0 ? MDB_PREV : MDB_LAST);
}

struct way {
	int (*seek)(MDB_cursor *cursor, struct bytes bound, MDB_val *k, MDB_val *v);
	MDB_cursor_op step;
};

static void scan(struct kv_txn *txn, const struct way *way, struct bytes prefix, struct bytes bound, kv_visit *visit,
                 void *arg)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(((struct lmdb_txn *)txn)->mdb, lmdb_of(txn)->dbi, &cursor);

	if (rc != 0) {
		fail(txn, "scan", rc);
		return;
	}
	rc = way->seek(cursor, bound, &k, &v);
	while (rc == 0 && bytes_start(BYTES(k.mv_data, k.mv_size), prefix) &&
	       visit(arg, BYTES(k.mv_data, k.mv_size), BYTES(v.mv_data, v.mv_size)))
		rc = mdb_cursor_get(cursor, &k, &v, way->step);
	mdb_cursor_close(cursor);
	if (rc != 0 && rc != MDB_NOTFOUND)
		fail(txn, "scan", rc);
}

static void lmdb_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	scan(txn, &(struct way){ seek, MDB_NEXT }, prefix, from, visit, arg);
}

static void lmdb_scan_back(struct kv_txn *txn, struct bytes prefix, struct bytes before, kv_visit *visit, void *arg)
{
	scan(txn, &(struct way){ seek_back, MDB_PREV }, prefix, before, visit, arg);
}

static bool lmdb_own(struct kv *kv, struct problem *p)
{
	int rc = lmdb_journal_own((struct lmdb *)kv);

	return rc == 0 ? true : lmdb_refuse(p, "journal", rc);
}

static void lmdb_close(struct kv *kv)
{
	struct lmdb *db = (struct lmdb *)kv;

	lmdb_env_close(db, true);
	lmdb_journal_free(db);
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
	.scan_back = lmdb_scan_back,
	.backup = lmdb_backup,
	.grow = lmdb_grow,
	.own = lmdb_own,
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

static bool open_refuse(const char *folder, int rc, struct problem *p)
{
	if (rc == ENOENT)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no store in %s", folder);
	if (rc == EUCLEAN)
		return problem_set(p, PROBLEM_CONFLICT,
		                   "%s/journal does not fit the data.mdb beside it: if that was put there "
		                   "from a backup, remove the journal; if not, one of them is damaged: restore a "
		                   "backup",
		                   folder);
	if (rc == EROFS)
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the server of the store in %s did not end in order: whatever opens it to "
		                   "write makes it whole, as starting the server does",
		                   folder);
	return problem_internal(p, "%s/data.mdb: %s", folder, mdb_strerror(rc));
}

bool kv_lmdb_open(const char *folder, const struct kv_options *options, struct kv **ret, struct problem *p)
{
	struct lmdb *db = calloc(1, sizeof(*db));

	if (!db)
		return problem_memory(p);
	db->kv.engine = &lmdb_engine;
	db->journal.file.fd = -1;
	locks_init(db);
	if (options)
		db->options = *options;
	db->options.map_size = whole_pages(db->options.map_size > 0 ? db->options.map_size : MAP_FIRST);
	db->options.map_max = whole_pages(db->options.map_max > 0 ? db->options.map_max : MAP_MAX);
	if (db->options.readers_max == 0)
		db->options.readers_max = READERS_MAX;
	db->folder = strdup(folder);
	int rc = db->folder ? lmdb_env_open(db) : ENOMEM;
	if (rc == 0) {
		*ret = &db->kv;
		return true;
	}
	lmdb_close(&db->kv);
	return open_refuse(folder, rc, p);
}
