#include "acme/ending.h"

#include <assert.h>
#include <stdio.h>

#include "acme/call.h"
#include "acme/order_state.h"
#include "base/log.h"
#include "base/work.h"
#include "store/account.h"

/* An update looks at that many orders and authorizations; authorizations are read so many at once, fewer than that, so
 * that each update gets on. */
enum { ROOM = 200, LOOK = 50, EVERY_MS = 1000, SOON_MS = 50 };

struct ending {
	const char *account;
	char after[STORE_CURSOR_SIZE];   /* the authorizations up to here have ended */
	struct state_change change;
	size_t room;                     /* what the update may still look at; 0: the rest is for the next */
};

static bool end_order(struct store_txn *txn, const struct ending *e, const char *id, struct problem *p)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, id, &order, p))
		return false;
	order.star.due = 0;
	return order_apply(txn, &order, order.status == ORDER_VALID ? ORDER_CANCEL : ORDER_FAILED, &e->change, p);
}

static bool end_orders(struct store_txn *txn, struct ending *e, const char *authorization, struct problem *p)
{
	auto_value(strings) ids = {0};

	if (!store_order_by_authorization(txn, authorization, e->room, &ids, p))
		return false;
	for (size_t i = 0; i < ids.n; i++)
		if (!end_order(txn, e, ids.v[i], p))
			return false;
	e->room -= ids.n;
	return true;
}

/* It ends after its orders: every order that is pending or ready, or renews itself, waits on one. */
static bool end_authorization(struct store_txn *txn, struct ending *e, const char *id, struct problem *p)
{
	auto_value(authorization) a = {0};

	if (!store_authorization_get(txn, id, &a, p) || !end_orders(txn, e, id, p))
		return false;
	if (e->room == 0)
		return true;
	e->room--;
	return authorization_apply(txn, &a, AUTHORIZATION_DEACTIVATE, &e->change, p);
}

static bool end_some(struct store_txn *txn, struct ending *e, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!store_authorization_by_account(txn, e->account, e->after, LOOK, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n && e->room > 0; i++)
		if (!end_authorization(txn, e, page.ids.v[i], p))
			return false;
	if (e->room > 0)
		snprintf(e->after, sizeof(e->after), "%s", page.next);
	return true;
}

static bool end_page(struct store_txn *txn, struct ending *e, struct problem *p)
{
	auto_value(problem) why = {0};
	auto_value(buf) error = {0};

	problem_set(&why, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.3.6: the account was deactivated");
	acme_problem_write(&why, NULL, &error);
	if (!buf_check(&error, p))
		return false;
	e->change = (struct state_change){ .error = buf_text(&error) };
	do
		if (!end_some(txn, e, p))
			return false;
	while (e->room > 0 && e->after[0]);
	return true;
}

bool acme_account_cancel_work(struct store_txn *txn, const char *account_id, bool *ret_more, struct problem *p)
{
	struct ending e = { .account = account_id, .room = ROOM };
	auto_value(account) account = {0};

	if (!store_account_get(txn, account_id, &account, p))
		return false;
	assert(account.status != ACCOUNT_VALID);
	snprintf(e.after, sizeof(e.after), "%s", account.ended_after ?: "");
	if (!end_page(txn, &e, p))
		return false;
	*ret_more = e.room == 0;
	if (!account.ending && !*ret_more)
		return true;
	account.ending = *ret_more;
	account.ended_after = *ret_more && e.after[0] ? e.after : NULL;
	return store_account_put(txn, &account, p);
}

/* --- the job */

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_account_ending(txn, 1, arg, p);
}

struct step {
	const char *account;
	bool more;
};

/* Another process may have come first. */
static bool step(struct store_txn *txn, void *arg, struct problem *p)
{
	struct step *s = arg;

	return acme_account_cancel_work(txn, s->account, &s->more, p);
}

bool acme_ending_once(struct acme *acme, bool *ret_more, struct problem *p)
{
	auto_value(strings) ids = {0};

	if (!store_view(acme->store, find, &ids, p))
		return false;
	*ret_more = ids.n > 0;
	return ids.n == 0 || store_update(acme->store, step, &(struct step){ .account = ids.v[0] }, p);
}

static void run(void *arg)
{
	auto_value(problem) p = {0}, closing = {0};
	struct acme *acme = arg;
	bool more = false;

	if (!acme_ending_once(acme, &more, &p))
		log_event(LOG_LEVEL_ERROR, "account-ending", "cause", problem_cause(&p), NULL);
	(void)!work_add(acme->sweeper, more && !problem_is_set(&p) ? SOON_MS : EVERY_MS, run, acme, &closing);
}

bool acme_ending_begin(struct acme *acme, struct problem *p)
{
	return work_add(acme->sweeper, EVERY_MS, run, acme, p);
}
