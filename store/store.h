/* Store: transactions over typed records.
 *
 * A `struct store` is shared by all threads and owns its key-value engine, the seal that protects
 * secrets at rest, and the group-commit line: concurrent store_update calls share one durable
 * commit, each is atomic on its own, and none returns before that commit is on disk.
 *
 * A function given to store_update may run more than once and on another thread, so it must not
 * sign, use the network, look at the clock, or change anything but its arg in a repeatable way. A
 * function of store_view or store_update is short and does not call the store's own functions
 * again (asserted): while the map grows, which waits for all transactions, it would wait for
 * itself. What it has written when it refuses is dropped. */
#pragma once

#include "base/seal.h"
#include "store/kv.h"

struct store;
struct store_txn;
typedef bool store_fn(struct store_txn *txn, void *arg, struct problem *p);

/* Opens (and when create, makes) the store in `folder` (0700): `data.mdb`, and the file `seal.key`
 * (0600). NOT_FOUND: there is none. CONFLICT: its schema is newer than ours, it is no store of ours,
 * or its seal.key is missing. One store is open once in a process; several processes may have it. */
bool store_open(const char *folder, bool create, const struct kv_options *options, struct store **ret,
                struct problem *p) must_use;
/* The same over an engine that the caller made (tests); takes kv, also when it fails. */
bool store_open_kv(struct kv *kv, const uint8_t seal_key[32], struct store **ret, struct problem *p) must_use;
void store_close(struct store *store);
declare_auto_struct(store, store_close);

/* Holds an exclusive lock on the folder for this process's life. A second server: CONFLICT that
 * names the folder and the other's process id. Operator's commands do not take it. */
bool store_lock_server(struct store *store, struct problem *p) must_use;

/* Runs fn in a read transaction. The result is fn's. */
bool store_view(struct store *store, store_fn *fn, void *arg, struct problem *p) must_use;
/* Runs fn in a write transaction. true: fn returned true and the commit is durable. false: nothing
 * of this fn is stored, p is fn's problem or UNAVAILABLE. */
bool store_update(struct store *store, store_fn *fn, void *arg, struct problem *p) must_use;

/* Copies data.mdb of the live store, seal.key and nothing else into a new folder (0700), or an empty
 * one; CONFLICT when something is in it. The copy is a store: restoring is opening it in its place. */
bool store_backup(struct store *store, const char *folder, struct problem *p) must_use;

const struct seal *store_seal(const struct store *store);
/* Durable commits so far and updates that shared them, for metrics and tests. */
void store_counters(const struct store *store, uint64_t *ret_commits, uint64_t *ret_updates);

/* A page of a listing: ids in order; next is where to go on, "" at the end. */
enum { STORE_CURSOR_SIZE = 128 };
struct store_page {
	struct strings ids;
	char next[STORE_CURSOR_SIZE];
};
void store_page_free(struct store_page *page);
declare_auto_value(store_page, store_page_free);
