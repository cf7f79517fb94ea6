/* The searches of bench_inventory: a page, or all that is found, each row read. What each is given is a row to find. */
#pragma once

#include "tests/bench/inventory_rows.h"

enum { SEARCH_COUNT = 10 };
extern const struct search {
	const char *what;
	/* How many were found; 0: none, or it failed. */
	size_t (*run)(struct store_txn *txn, const struct made *m, struct problem *p);
} searches[SEARCH_COUNT];
