/* Listing: pages of a store's index, printed row by row, as a table or as one JSON array. Internal to
 * admin/. */
#pragma once

#include "admin/admin.h"
#include "base/json.h"

/* One page of ids; the record of one id, printed. Both run in a read transaction. */
struct listing {
	struct command_call *call;
	const char *heading;           /* the table's first line */
	int64_t limit;                 /* rows at most; 0: all */
	void *arg;
	bool (*page)(struct store_txn *txn, void *arg, const char *after, size_t limit,
	             struct store_page *ret,
	             struct problem *p);
	/* Appends one line of the table, without its end, or one JSON object. */
	bool (*row)(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret,
	            struct problem *p);
};
bool listing_print(struct store *store, const struct listing *listing, struct problem *p) must_use;

/* Takes those that do not fit out of a page. fits says it in *ret, or refuses. */
typedef bool listing_fits(struct store_txn *txn, void *arg, const char *id, bool *ret, struct problem *p);
bool listing_sift(struct store_txn *txn, listing_fits *fits, void *arg, struct store_page *page, struct problem *p)
	must_use;
/* One thing: with --json an object, which gets its line end, without it lines. */
bool listing_print_object(const struct command_call *call, const struct buf *text, struct problem *p) must_use;
