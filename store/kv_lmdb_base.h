/* The base of a journal: what is kept of LMDB's data file so that a state of it can be found again, and the
 * way back to it after the power was cut. Internal to store/kv_lmdb*.c; store/kv_lmdb_journal.h has the
 * whole picture.
 *
 * This is the one place that knows LMDB's file format (data version 1, since 0.9): pages 0 and 1 are
 * headers in turn, each with the number of its transaction and the roots of its trees. */
#pragma once

#include <lmdb.h>

#include "store/journal.h"
#include "store/kv.h"

/* A change as a record has it: this, the key, the value. */
struct lmdb_change {
	uint32_t key, value;
};
#define LMDB_CHANGE_DELETE UINT32_MAX

/* The base of the state after transaction `txn`, LMDB's last one, which is flushed. With LMDB's lock of
 * writers held. */
int lmdb_base_read(MDB_env *env, uint64_t txn, uint8_t ret[JOURNAL_BASE]) must_use;
bool lmdb_base_is_empty(const uint8_t base[JOURNAL_BASE]) must_use; /* a state without a row */
/* Whether another process has the folder's data open, by LMDB's own lock. Not while this process has:
 * looking would drop its locks. */
bool lmdb_base_in_use(const char *folder) must_use;
/* Puts the data back to head's base, applies the records, flushes, and ends the journal; head is what then
 * holds. While nobody has the data open. EUCLEAN: the data is not what the journal was written for. */
int lmdb_base_recover(const char *folder, const struct kv_options *options, const struct journal *journal,
                      struct journal_head *head) must_use;
