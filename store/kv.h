/* Key-value contract: ordered byte keys, transactions, durability. LMDB is the engine; a memory
 * double serves tests; nothing above store/ may know which one is there.
 *
 * A `struct kv` is shared by all threads. A `struct kv_txn` belongs to one thread. Any number of
 * read transactions run beside at most one write transaction; a thread that has one open begins no
 * other, except by kv_nest, for it could wait for itself. A transaction's failure is sticky:
 * after it every call is a no-op that returns false, and kv_commit refuses with the first cause.
 * Memory that kv_get and kv_scan show is the engine's and valid until the transaction's next
 * write or end: store/ copies it out, always. */
#pragma once

#include "base/bytes.h"

struct kv;
struct kv_txn;

enum kv_mode { KV_READ, KV_WRITE };
enum { KV_KEY_MAX = 480 };

/* Starts a transaction. UNAVAILABLE when the engine cannot now. */
bool kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p) must_use;
/* Makes the writes durable (fsync'd) and visible at once, or none of them; ends the transaction
 * either way. A full disk or map: UNAVAILABLE, Retry-After set. */
bool kv_commit(struct kv_txn **txn, struct problem *p) must_use;
void kv_abort(struct kv_txn **txn); /* also ends a read transaction; NULL is fine */
/* A part of a write transaction that can be undone alone: nest, then keep or drop it. The parent
 * is not used in between. */
bool kv_nest(struct kv_txn *parent, struct kv_txn **ret, struct problem *p) must_use;
bool kv_keep(struct kv_txn **nested) must_use;

/* false: not there (or the transaction failed before). */
bool kv_get(struct kv_txn *txn, struct bytes key, struct bytes *ret) must_use;
void kv_put(struct kv_txn *txn, struct bytes key, struct bytes value);
/* false: the key exists, nothing is changed. */
bool kv_put_new(struct kv_txn *txn, struct bytes key, struct bytes value) must_use;
void kv_delete(struct kv_txn *txn, struct bytes key); /* a missing key is fine */
/* Calls visit for keys >= from that begin with prefix, in order, until it returns false. visit must
 * not write in this transaction. */
typedef bool kv_visit(void *arg, struct bytes key, struct bytes value);
void kv_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg);
/* The same backwards: keys < before, or all when that is empty. */
void kv_scan_back(struct kv_txn *txn, struct bytes prefix, struct bytes before, kv_visit *visit, void *arg);
bool kv_failed(const struct kv_txn *txn);
/* true, or the cause of a failed transaction. */
bool kv_check(const struct kv_txn *txn, struct problem *p) must_use;
/* Whether kv_commit has anything to write. */
bool kv_dirty(const struct kv_txn *txn);

/* After a write transaction failed: true when it failed for want of room and there is room now, so
 * that it can be run again. false: it failed otherwise and p stays, or p says why there is none.
 * Waits for the transactions of other threads; the caller has none open. */
bool kv_grow(struct kv *kv, struct problem *p) must_use;

/* This process is the one server of the store from here on: how its commits are made durable may depend on it. */
bool kv_own(struct kv *kv, struct problem *p) must_use;
/* Copies a consistent snapshot of the live store into the existing, empty folder. */
bool kv_backup(struct kv *kv, const char *folder, struct problem *p) must_use;
void kv_close(struct kv *kv);
declare_auto_struct(kv, kv_close);

/* What an engine is opened with. */
struct kv_options {
	uint64_t map_size;     /* first size of the map; it grows by itself. 0: 64 MiB */
	uint64_t map_max;      /* growth ends here. 0: 1 TiB */
	unsigned readers_max;  /* read transactions at once, of all processes. 0: 2048 */
	bool read_only;
	bool random_access;    /* few pages are wanted of those around them: the kernel need not read ahead */
};
bool kv_lmdb_open(const char *folder, const struct kv_options *options, struct kv **ret, struct problem *p) must_use;
bool kv_memory_open(struct kv **ret, struct problem *p) must_use;

/* Implementation interface: what an engine supplies. `struct kv` and `struct kv_txn` are the first
 * member of the engine's own. store/kv.c holds the sticky failure, the nested parts and the checks:
 * an engine sees top transactions only, and none that has failed but in abort. A call that fails
 * says so with kv_fail; get and delete of a missing key do not fail. commit and abort free. A scan's from is
 * not before prefix, and what is after all that begin with prefix is not before a scan_back's before. */
struct kv_engine {
	bool (*begin)(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p);
	bool (*commit)(struct kv_txn *txn, struct problem *p);
	void (*abort)(struct kv_txn *txn);
	bool (*get)(struct kv_txn *txn, struct bytes key, struct bytes *ret);
	void (*put)(struct kv_txn *txn, struct bytes key, struct bytes value);
	bool (*put_new)(struct kv_txn *txn, struct bytes key, struct bytes value);
	void (*delete)(struct kv_txn *txn, struct bytes key);
	void (*scan)(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg);
	void (*scan_back)(struct kv_txn *txn, struct bytes prefix, struct bytes before, kv_visit *visit, void *arg);
	bool (*backup)(struct kv *kv, const char *folder, struct problem *p);
	bool (*grow)(struct kv *kv, struct problem *p);
	bool (*own)(struct kv *kv, struct problem *p);  /* NULL: nothing to do */
	void (*close)(struct kv *kv);
};
struct kv {
	const struct kv_engine *engine;
};
struct kv_txn {
	struct kv *kv;
	struct kv_txn *parent;
	bool write;
	bool dirty;               /* something was put or deleted */
	bool failed;
	struct problem problem;   /* why it failed */
	struct buf undo;          /* of a nested part: what its writes replaced */
};
/* Marks the transaction failed; the first cause stays. */
void kv_fail(struct kv_txn *txn, const struct problem *cause);
