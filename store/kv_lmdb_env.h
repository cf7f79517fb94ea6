/* The environment behind the LMDB engine: opened, opened again, grown, copied. Internal to
 * store/kv_lmdb.c, with which it owns LMDB.
 *
 * The map may only be changed while no transaction of this process is open: each holds `map` for
 * reading, from its begin to its end. Read transactions are kept and renewed, since taking a slot
 * of the readers' table is most of what beginning one costs. */
#pragma once

#include <lmdb.h>
#include <pthread.h>

#include "store/kv_lmdb_journal.h"

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
	struct lmdb_journal journal;
};

/* Opens db->folder as db->options say; an errno or an LMDB code, 0 for success. */
int lmdb_env_open(struct lmdb *db);
/* Ends the journal and closes the environment. `whole`: it can still be written to. With no transaction
 * open. */
void lmdb_env_close(struct lmdb *db, bool whole);
/* Ends the read transactions that are kept. With db->lock held, or alone. */
void lmdb_pool_clear(struct lmdb *db);
/* What can be done about a transaction that would not begin with rc: true, try again. */
bool lmdb_mend(struct lmdb *db, int rc, struct problem *p) must_use;
/* The refusal that rc is, in the words of `what` was tried. Returns false. */
bool lmdb_refuse(struct problem *p, const char *what, int rc);

MDB_val lmdb_val(struct bytes b); /* LMDB only reads what it is given so */

/* As struct kv_engine has them. */
bool lmdb_grow(struct kv *kv, struct problem *p) must_use;
bool lmdb_backup(struct kv *kv, const char *folder, struct problem *p) must_use;
