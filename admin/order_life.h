/* Order life: ACME orders (store/order.h), as operators show and end them, by command and by the API. Internal to
 * admin/. Any thread. */
#pragma once

#include "admin/actor.h"
#include "base/json.h"
#include "store/order.h"

/* Which of them; NULL: any. */
struct order_filter {
	const char *account, *status, *profile;
	bool star;                     /* those that renew themselves alone */
};
bool order_fits(const struct order_filter *filter, const struct order *order) must_use;
/* "pending", ..., "canceled"; ended by NULL. */
extern const char *const order_statuses[];

/* NOT_FOUND. The caller frees ret. */
bool order_find(struct store_txn *txn, const char *id, struct order *ret, struct problem *p) must_use;

/* Ends one in the caller's update. CONFLICT: it has ended already, or waits for approval. */
typedef bool order_cancel_one(struct store_txn *txn, const char *id, int64_t now, struct problem *p);
/* ret is as it is afterwards; the caller frees it. */
bool order_cancel(struct store *store, const char *id, order_cancel_one *cancel, const struct actor *actor,
                  struct order *ret, struct problem *p) must_use;

/* Appends it as an object. */
void order_json(const struct order *order, struct buf *ret);
