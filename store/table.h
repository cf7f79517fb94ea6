/* Table: records of one kind under their ids, with the index entries that follow from each, and
 * listings by page. Internal to store/.
 *
 * A put reads the record that it replaces and changes only those entries that differ, so that no
 * entry outlives what it was made from. */
#pragma once

#include "store/expiry.h"
#include "store/key.h"
#include "store/record.h"
#include "store/store.h"

struct audit_keeper;

struct store_txn {
	struct kv_txn *kv;
	struct audit_keeper *audit; /* the store's; NULL where there is no store, in tests of records */
};

/* The index entries of one record, gathered. */
struct index {
	struct bytes id;      /* of the record, as it stands in keys */
	struct buf entries;
};
void index_add(struct index *ix, const struct key *key);        /* the id is appended */
void index_add_unique(struct index *ix, const struct key *key); /* the id is the value */
/* The entry by which the sweeper finds it (store/expiry.c); expires 0: none. */
void expiry_index(struct index *ix, enum expiry_kind kind, int64_t expires);

struct table {
	enum key_class class;
	const struct record_schema *schema;
	bool by_text;   /* the id is any text, not one of random_id's */
	void (*index)(const void *record, struct index *ix); /* NULL: none */
	/* What a put insists on, and the index builds on. A stored record without it cannot be read. NULL: anything */
	bool (*is_whole)(const void *record);
	/* Appends what records that look much alike have in common (store/packed.h). NULL: they are stored as they
	 * are */
	void (*kind)(const void *record, struct buf *ret);
};

/* NOT_FOUND when there is none. */
bool table_get(struct store_txn *txn, const struct table *table, const char *id, void *ret, struct problem *p) must_use;
/* By a unique index entry. */
bool table_find(struct store_txn *txn, const struct table *table, const struct key *unique, void *ret,
                struct problem *p) must_use;
/* CONFLICT when another record has one of its unique entries. */
bool table_put(struct store_txn *txn, const struct table *table, const char *id, const void *record,
               struct problem *p) must_use;
/* Writes a record that is there, and all its entries, as they are written now. */
bool table_renew(struct store_txn *txn, const struct table *table, const char *id, struct problem *p) must_use;
/* A missing record is fine. */
bool table_delete(struct store_txn *txn, const struct table *table, const char *id, struct problem *p) must_use;

/* The ids of the entries that begin with prefix, after the one that `after` stands for. What
 * follows the prefix ends with an id; with by_text it is a text, which is the id and the cursor.
 * MALFORMED when after is no cursor. */
bool page_read(struct store_txn *txn, const struct key *prefix, bool by_text, const char *after, size_t limit,
               struct store_page *ret, struct problem *p) must_use;
/* The same, from a key on. */
bool page_read_from(struct store_txn *txn, const struct key *prefix, const struct key *from, bool by_text,
                    size_t limit, struct store_page *ret, struct problem *p) must_use;
/* From the last entry to the first. */
bool page_read_back(struct store_txn *txn, const struct key *prefix, const char *after, size_t limit,
                    struct store_page *ret, struct problem *p) must_use;
/* All of them, up to limit, without pages. */
bool page_read_ids(struct store_txn *txn, const struct key *prefix, size_t limit, struct strings *ret,
                   struct problem *p) must_use;
/* The first of an index whose keys are a time and an id: those whose time has come, soonest first. */
bool page_read_due(struct store_txn *txn, const struct key *prefix, int64_t now, size_t limit, struct strings *ret,
                   struct problem *p) must_use;
/* How many there are; counting ends at max. */
bool page_count(struct store_txn *txn, const struct key *prefix, size_t max, size_t *ret, struct problem *p) must_use;
