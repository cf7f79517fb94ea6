/* Limit: token buckets by key, for rates per account, address and name.
 *
 * A `struct limit` owns a bounded table: when it is full the fullest (least interesting) buckets
 * go first, so that no flood of keys can grow memory or free a busy key. Thread-safe. */
#pragma once

#include "base/problem.h"

struct limit;

/* `burst` tokens, refilled evenly at `burst` per `period` seconds. burst 0: no limit at all. */
bool limit_new(unsigned burst, unsigned period, size_t keys_max, struct limit **ret, struct problem *p) must_use;
/* Takes one token of the key. false: none left; ret_wait is the seconds (1 or more) to the next. */
bool limit_take(struct limit *limit, const char *key, int *ret_wait) must_use;
/* Whether limit_take would take one now; nothing is taken. For limits that count failures alone. */
bool limit_has(struct limit *limit, const char *key, int *ret_wait) must_use;
void limit_free(struct limit *limit);
declare_auto_struct(limit, limit_free);
