/* The journal of the LMDB engine, internal to store/kv_lmdb*.c: one flush a commit in place of LMDB's two.
 *
 * The server (`owner`) writes each transaction to the journal (store/journal.h), which makes it durable,
 * and then commits it to LMDB without a flush. Now and then a checkpoint flushes the data and begins the
 * journal anew; its header keeps LMDB's own two header pages as they were then (the base), and a read
 * transaction that stays open (the pin) keeps each page of that state from being used again. So whatever the
 * disk holds of later pages when the power goes, the base is there: whoever opens the store next puts the
 * header pages back and applies the records.
 *
 * Commands write beside the server. While the header says that the journal is active their transactions
 * are recorded as well, for they would be lost with what came after the base; and LMDB flushes them as ever.
 * Where the owner has died while others have the data open, what the kernel keeps of it is whole: the next
 * writer flushes it, and ends the journal. A store without a server has no active journal, and one that no
 * server ever opened has an empty one.
 *
 * All that changes the journal is done under LMDB's lock of writers, or while OPENING keeps all others
 * from the data. Calls return 0, an errno or an LMDB code. */
#pragma once

#include <lmdb.h>

#include "store/journal.h"
#include "store/kv.h"

struct lmdb;
struct lmdb_journal {
	struct journal file;
	bool server;               /* this process is to be the owner whenever it has the data open */
	bool owner;                /* it is: it holds the lock, and the pin whenever the journal is active */
	bool sick;                 /* a flush failed: the data is to be opened anew, from the base, before it is written to */
	struct journal_head head;  /* as last read or written */
	uint64_t txn;              /* the last transaction, of the records or else the base */
	uint64_t at, last_at;      /* where the next record goes, and where the last one is */
	uint8_t last[JOURNAL_MARK];
	unsigned records;
	MDB_txn *pin;
	struct buf record;         /* of the write transaction that is open */
	bool too_big;              /* more than fits */
};

/* Before the environment is opened: waits for others that open the store, and keeps them waiting. A store
 * whose server died is put back to its base and the records applied, unless others have it open. */
int lmdb_journal_before_open(struct lmdb *db) must_use;
/* After it was, or was not, opened with rc: ends a journal whose owner has died, and lets others go on. */
int lmdb_journal_after_open(struct lmdb *db, int rc) must_use;
/* This process, which is the server, owns the journal from here on. It does without where there is no room
 * for one, or where LMDB's file is of a format that we do not know. */
int lmdb_journal_own(struct lmdb *db) must_use;
/* The environment is about to be closed. `whole`: it can still be written to, so that the journal ends in
 * order. */
void lmdb_journal_leave(struct lmdb *db, bool whole);
void lmdb_journal_free(struct lmdb *db);

/* The life of a write transaction: begun, each change noted, and recorded before LMDB commits it. Should
 * LMDB then not commit it, the next one strikes the record. */
int lmdb_journal_begin(struct lmdb *db, MDB_txn *txn) must_use;
void lmdb_journal_put(struct lmdb *db, struct bytes key, struct bytes value);
void lmdb_journal_delete(struct lmdb *db, struct bytes key);
int lmdb_journal_commit(struct lmdb *db, MDB_txn *txn) must_use;
/* A look at the journal as each transaction begins with, and no more. */
int lmdb_journal_settle(struct lmdb *db);
