#include "store/kv_lmdb_journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/random.h"
#include "store/kv_lmdb_base.h"
#include "store/kv_lmdb_env.h"

enum { RECORDS_MAX = 32 };  /* each takes some ten pages that are not used again before the next checkpoint */

/* --- checkpoints: under LMDB's lock of writers --- */

static void begin_records(struct lmdb_journal *j)
{
	j->txn = j->head.txn;
	j->at = j->last_at = JOURNAL_FIRST;
	j->records = 0;
}

/* What j->record has is at j->at. */
static void count_record(struct lmdb_journal *j)
{
	memcpy(j->last, j->record.data, sizeof(j->last));
	j->last_at = j->at;
	j->at += journal_room(j->record.len);
	j->txn++;
	j->records++;
}

static void drop_pin(struct lmdb_journal *j)
{
	if (j->pin)
		mdb_txn_abort(j->pin);
	j->pin = NULL;
}

static int describe(struct lmdb *db, uint64_t txn, bool active, struct journal_head *ret)
{
	auto_value(problem) p = {0};
	int rc;

	*ret = (struct journal_head){ .epoch = db->journal.head.epoch + 1, .txn = txn };
	if ((rc = lmdb_base_read(db->env, txn, ret->base)) != 0)
		return rc;
	/* Nothing would tell the base of an empty store from another one's. */
	ret->active = active && !lmdb_base_is_empty(ret->base);
	return random_bytes(ret->salt, sizeof(ret->salt), &p) ? 0 : EAGAIN;
}

/* Makes the state after transaction `txn`, LMDB's last one, the base of what comes, or ends the journal. */
static int checkpoint(struct lmdb *db, uint64_t txn, bool active)
{
	struct lmdb_journal *j = &db->journal;
	struct journal_head head;
	MDB_txn *pin = NULL;
	int rc = mdb_env_sync(db->env, 1);

	/* A second flush would not tell that the first one lost pages, so the records have to bring them back. */
	j->sick = rc != 0 && j->head.active;
	if (rc == 0)
		rc = describe(db, txn, active, &head);
	if (rc == 0 && head.active && j->owner)
		rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &pin);
	assert(!pin || mdb_txn_id(pin) == txn);
	if (rc == 0 && (rc = journal_head_write(&j->file, &head)) != 0)
		j->sick = rc != ENOSPC && rc != EDQUOT;
	if (rc != 0) {
		if (pin)
			mdb_txn_abort(pin);
		return rc;
	}
	drop_pin(j);
	j->pin = pin;
	j->head = head;
	begin_records(j);
	return 0;
}

/* --- a write transaction --- */

/* A record whose transaction LMDB did not commit. */
static void strike_last(struct lmdb_journal *j, uint64_t committed)
{
	if (!j->head.active || j->txn != committed + 1 || j->records == 0)
		return;
	journal_strike(&j->file, j->last_at);
	j->at = j->last_at;
	j->txn--;
	j->records--;
}

/* What other processes have recorded since: after our last record, or in the place of one that LMDB did not
 * commit. */
static int catch_up(struct lmdb *db, uint64_t committed)
{
	struct lmdb_journal *j = &db->journal;

	if (j->records > 0 && !journal_has(&j->file, j->last_at, j->last))
		begin_records(j);
	while (j->txn < committed && journal_read(&j->file, j->at, &j->head, j->txn + 1, &j->record) == 0)
		count_record(j);
	return j->txn == committed ? 0 : checkpoint(db, committed, true);
}

/* Sees what others have done to the journal, and ends it where its owner has died. */
static int look(struct lmdb *db, uint64_t committed)
{
	struct lmdb_journal *j = &db->journal;
	int rc = 0;

	if (j->sick)
		return MDB_PANIC;
	strike_last(j, committed);
	if (journal_epoch(&j->file) != j->head.epoch) {
		if ((rc = journal_head_read(&j->file, &j->head)) != 0)
			return rc;
		begin_records(j);
	}
	if (!j->head.active)
		return 0;
	if (!j->owner && !journal_owned(&j->file))
		return checkpoint(db, committed, false);
	return catch_up(db, committed);
}

int lmdb_journal_begin(struct lmdb *db, MDB_txn *txn)
{
	struct lmdb_journal *j = &db->journal;
	int rc = look(db, mdb_txn_id(txn) - 1);

	buf_clear(&j->record);
	j->too_big = !buf_extend(&j->record, JOURNAL_RECORD_HEAD);
	return rc;
}

int lmdb_journal_settle(struct lmdb *db)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = look(db, mdb_txn_id(txn) - 1);
	mdb_txn_abort(txn);
	return rc;
}

static void note(struct lmdb *db, struct bytes key, const struct bytes *value)
{
	struct lmdb_journal *j = &db->journal;
	struct lmdb_change change = { (uint32_t)key.len, value ? (uint32_t)value->len : LMDB_CHANGE_DELETE };

	if (j->too_big || (!j->owner && !j->head.active))
		return;
	buf_add(&j->record, &change, sizeof(change));
	buf_add(&j->record, key.data, key.len);
	if (value)
		buf_add(&j->record, value->data, value->len);
	j->too_big = j->record.failed || j->record.len > JOURNAL_SIZE - JOURNAL_FIRST;
	if (j->too_big)
		buf_clear(&j->record);
}

void lmdb_journal_put(struct lmdb *db, struct bytes key, struct bytes value)
{
	note(db, key, &value);
}

void lmdb_journal_delete(struct lmdb *db, struct bytes key)
{
	note(db, key, NULL);
}

/* What does not fit is flushed as LMDB does it, after the journal has ended for the while. */
static int make_room(struct lmdb *db, uint64_t committed)
{
	struct lmdb_journal *j = &db->journal;

	if (j->too_big)
		return j->head.active ? checkpoint(db, committed, false) : 0;
	if (!j->head.active)
		return j->owner ? checkpoint(db, committed, true) : 0;
	bool full = j->records >= RECORDS_MAX || j->at + journal_room(j->record.len) > JOURNAL_SIZE;
	return full ? checkpoint(db, committed, true) : 0;
}

int lmdb_journal_commit(struct lmdb *db, MDB_txn *txn)
{
	struct lmdb_journal *j = &db->journal;
	uint64_t number = mdb_txn_id(txn);
	int rc;

	if (!j->too_big && j->record.len == JOURNAL_RECORD_HEAD)
		return 0;
	if ((rc = make_room(db, number - 1)) != 0)
		return rc;
	mdb_env_set_flags(db->env, MDB_NOSYNC, j->head.active && j->owner);
	if (!j->head.active)
		return 0;
	if ((rc = journal_write(&j->file, j->at, &j->head, number, &j->record)) != 0)
		journal_strike(&j->file, j->at);
	else
		count_record(j);
	return rc;
}

/* --- the environment's life --- */

static bool is_orphan(struct lmdb_journal *j)
{
	return j->head.active && !j->owner && !journal_owned(&j->file);
}

int lmdb_journal_before_open(struct lmdb *db)
{
	struct lmdb_journal *j = &db->journal;
	int rc = 0;

	if (j->file.fd < 0)
		rc = journal_open(db->folder, !db->options.read_only, &j->file);
	if (rc == 0)
		rc = journal_lock(&j->file, JOURNAL_OPENING, j->file.writable ? F_WRLCK : F_RDLCK, true);
	if (rc == 0)
		rc = journal_head_read(&j->file, &j->head);
	begin_records(j);
	if (rc == 0 && is_orphan(j) && !lmdb_base_in_use(db->folder))
		rc = j->file.writable ? lmdb_base_recover(db->folder, &db->options, &j->file, &j->head) : EROFS;
	j->sick = j->sick && j->head.active;
	if (rc != 0)
		journal_unlock(&j->file, JOURNAL_OPENING);
	return rc;
}

int lmdb_journal_after_open(struct lmdb *db, int rc)
{
	struct lmdb_journal *j = &db->journal;

	if (rc == 0 && is_orphan(j) && !db->options.read_only)
		rc = lmdb_journal_settle(db);
	journal_unlock(&j->file, JOURNAL_OPENING);
	return rc;
}

static bool knows_format(struct lmdb *db)
{
	uint8_t base[JOURNAL_BASE];
	MDB_txn *txn;

	if (mdb_txn_begin(db->env, NULL, 0, &txn) != 0)
		return false;
	int rc = lmdb_base_read(db->env, mdb_txn_id(txn) - 1, base);
	mdb_txn_abort(txn);
	return rc == 0;
}

int lmdb_journal_own(struct lmdb *db)
{
	struct lmdb_journal *j = &db->journal;

	j->server = true;
	if (!j->file.writable || !knows_format(db))
		return 0;
	int rc = journal_lay(&j->file);
	if (rc == ENOSPC || rc == EDQUOT)
		return 0;
	if (rc == 0)
		rc = journal_lock(&j->file, JOURNAL_OWNER, F_WRLCK, false);
	j->owner = rc == 0;
	return rc;
}

void lmdb_journal_leave(struct lmdb *db, bool whole)
{
	struct lmdb_journal *j = &db->journal;
	MDB_txn *txn;
	MDB_envinfo info;

	if (!j->owner)
		return;
	if (whole && mdb_txn_begin(db->env, NULL, 0, &txn) == 0) {
		if (look(db, mdb_txn_id(txn) - 1) == 0 && j->head.active)
			checkpoint(db, mdb_txn_id(txn) - 1, false);
		mdb_txn_abort(txn);
	} else if (db->env && mdb_env_info(db->env, &info) == 0) {
		strike_last(j, info.me_last_txnid);
	}
	drop_pin(j);
	journal_unlock(&j->file, JOURNAL_OWNER);
	j->owner = false;
}

void lmdb_journal_free(struct lmdb *db)
{
	journal_close(&db->journal.file);
	buf_free(&db->journal.record);
}
