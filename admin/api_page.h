/* Page: one page of a list, as its route's `limit` and `after` ask. Internal to admin/. */
#pragma once

#include "admin/api_call.h"

/* The ids of a page, and the record of one id as an object, appended. Both run in one read transaction. A row that is
 * not to be shown appends nothing: a page can be short, and not be the last. */
struct api_page {
	const char *member;            /* of the reply: the list */
	void *arg;
	bool (*page)(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
	             struct problem *p);
	bool (*row)(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p);
};
bool api_page(struct api_call *call, const struct api_page *page, struct problem *p) must_use;
