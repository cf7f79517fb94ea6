/* Account life: ACME accounts (store/account.h), as operators show, limit and end them, by command and by the API.
 * Internal to admin/. Any thread. */
#pragma once

#include "admin/actor.h"
#include "admin/scope.h"
#include "base/json.h"
#include "store/account.h"

/* Which of them; NULL: any. */
struct account_filter {
	const char *status, *directory, *eab;
};
bool account_fits(const struct account_filter *filter, const struct account *account) must_use;
/* "valid", "deactivated", "revoked"; ended by NULL. */
extern const char *const account_statuses[];

/* NOT_FOUND. The caller frees ret, also of those below. */
bool account_find(struct store_txn *txn, const char *id, struct account *ret, struct problem *p) must_use;

/* Says anew what it may order; called in an update, maybe more than once. */
struct scope_change {
	bool (*apply)(const void *arg, struct scope_words *words, struct scope *scope, struct problem *p);
	const void *arg;
};
bool account_limit(struct store *store, const char *id, const struct scope_change *change, const struct actor *actor,
                   struct account *ret, struct problem *p) must_use;

/* Ends a page of what a deactivated account has begun, in the caller's update; more: there is another. */
typedef bool account_cancel_work(struct store_txn *txn, const char *id, bool *ret_more, struct problem *p);
/* As the account itself may do it (RFC 8555, 7.3.6). CONFLICT: it has ended. ret_more: the rest is a server's to do. */
bool account_deactivate(struct store *store, const char *id, account_cancel_work *cancel, const struct actor *actor,
                        struct account *ret, bool *ret_more, struct problem *p) must_use;

/* Appends it as an object. */
void account_json(const struct account *account, struct buf *ret);
