/* Upgrade: a store of an earlier schema is brought to this one's, in steps that are a transaction each: cut short,
 * the next opening goes on where it ended. Internal to store/.
 *
 * Schema 2 keeps certificates and events packed (store/packed.h), and finds certificates by shorter keys. */
#pragma once

#include "store/store.h"

enum { SCHEMA_VERSION = 2, SCHEMA_OLDEST = 1 };

/* In an update: what a store of this schema has from the begin. */
void schema_put(struct store_txn *txn);

/* Whether an upgrade was begun and has not ended. */
bool upgrade_is_open(struct store_txn *txn) must_use;
/* In an update: notes that one begins. */
void upgrade_begin(struct store_txn *txn);
/* The next step, in an update of its own; ret_done: it was the last. A store_fn, whose arg is ret_done. */
bool upgrade_step(struct store_txn *txn, void *ret_done, struct problem *p) must_use;
