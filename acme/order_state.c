#include "acme/order_state.h"

#include <assert.h>

struct arrow {
	int from, event, to;
};

static const struct arrow order_arrows[] = {
	{ ORDER_PENDING, ORDER_AUTHORIZED, ORDER_READY },
	{ ORDER_PENDING, ORDER_FAILED, ORDER_INVALID },
	{ ORDER_READY, ORDER_FINALIZED, ORDER_PROCESSING },
	{ ORDER_READY, ORDER_FAILED, ORDER_INVALID },
	{ ORDER_PROCESSING, ORDER_ISSUED, ORDER_VALID },
	{ ORDER_PROCESSING, ORDER_FAILED, ORDER_INVALID },
	{ ORDER_VALID, ORDER_CANCEL, ORDER_CANCELED },
};

/* The figure deactivates valid authorizations only, but 7.5.2 knows no such limit and clients give
 * up pending ones that way; 7.3.6 does the same to a whole account. */
static const struct arrow authorization_arrows[] = {
	{ AUTHORIZATION_PENDING, AUTHORIZATION_PROVED, AUTHORIZATION_VALID },
	{ AUTHORIZATION_PENDING, AUTHORIZATION_FAILED, AUTHORIZATION_INVALID },
	{ AUTHORIZATION_PENDING, AUTHORIZATION_EXPIRE, AUTHORIZATION_EXPIRED },
	{ AUTHORIZATION_PENDING, AUTHORIZATION_DEACTIVATE, AUTHORIZATION_DEACTIVATED },
	{ AUTHORIZATION_VALID, AUTHORIZATION_REVOKE, AUTHORIZATION_REVOKED },
	{ AUTHORIZATION_VALID, AUTHORIZATION_DEACTIVATE, AUTHORIZATION_DEACTIVATED },
	{ AUTHORIZATION_VALID, AUTHORIZATION_EXPIRE, AUTHORIZATION_EXPIRED },
};

/* A probe can end before its challenge was stored as processing (acme/challenge.c): both arrows
 * are then followed in one update. */
static const struct arrow challenge_arrows[] = {
	{ CHALLENGE_PENDING, CHALLENGE_RESPONSE, CHALLENGE_PROCESSING },
	{ CHALLENGE_PROCESSING, CHALLENGE_RESPONSE, CHALLENGE_PROCESSING },
	{ CHALLENGE_PROCESSING, CHALLENGE_RETRY, CHALLENGE_PROCESSING },
	{ CHALLENGE_PROCESSING, CHALLENGE_PROVED, CHALLENGE_VALID },
	{ CHALLENGE_PROCESSING, CHALLENGE_FAILED, CHALLENGE_INVALID },
};

static bool follow(const struct arrow *arrows, size_t n, int *at, int event)
{
	for (size_t i = 0; i < n; i++) {
		if (arrows[i].from == *at && arrows[i].event == event) {
			*at = arrows[i].to;
			return true;
		}
	}
	return false;
}

bool order_step(enum order_status *status, enum order_event event)
{
	int at = (int)*status;
	bool moved = follow(order_arrows, array_length(order_arrows), &at, (int)event);

	*status = (enum order_status)at;
	return moved;
}

bool authorization_step(enum authorization_status *status, enum authorization_event event)
{
	int at = (int)*status;
	bool moved = follow(authorization_arrows, array_length(authorization_arrows), &at, (int)event);

	*status = (enum authorization_status)at;
	return moved;
}

bool challenge_step(enum challenge_status *status, enum challenge_event event)
{
	int at = (int)*status;
	bool moved = follow(challenge_arrows, array_length(challenge_arrows), &at, (int)event);

	*status = (enum challenge_status)at;
	return moved;
}

enum authorization_status authorization_status_at(const struct authorization *authorization, int64_t now)
{
	enum authorization_status status = authorization->status;

	if (authorization->expires <= now)
		(void)!authorization_step(&status, AUTHORIZATION_EXPIRE);
	return status;
}

/* One that is gone was swept, long after its end. */
static bool status_of(struct store_txn *txn, const char *id, int64_t now, enum authorization_status *ret,
                      struct problem *p)
{
	auto_value(authorization) a = {0};

	if (store_authorization_get(txn, id, &a, p)) {
		*ret = authorization_status_at(&a, now);
		return true;
	}
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	*ret = AUTHORIZATION_EXPIRED;
	return true;
}

/* What the authorizations say of an order that is not final: ready when all are valid, invalid
 * when one has ended, pending otherwise. now 0 looks at the stored statuses alone. */
static bool judge(struct store_txn *txn, const struct order *order, int64_t now, enum order_status *ret,
                  struct problem *p)
{
	bool all_valid = true;

	for (size_t i = 0; i < order->authorizations.n; i++) {
		enum authorization_status status;

		if (!status_of(txn, order->authorizations.v[i], now, &status, p))
			return false;
		if (status != AUTHORIZATION_VALID && status != AUTHORIZATION_PENDING) {
			*ret = ORDER_INVALID;
			return true;
		}
		all_valid = all_valid && status == AUTHORIZATION_VALID;
	}
	*ret = all_valid ? ORDER_READY : ORDER_PENDING;
	return true;
}

/* A ready order needs no look at its authorizations: none of them ends in time before it does
 * (order_new and authorization_apply see to that), and any other end is stored with the order's. */
bool order_status_at(struct store_txn *txn, const struct order *order, int64_t now, enum order_status *ret,
                     struct problem *p)
{
	enum order_status status = order->status, judged;

	if (order->expires <= now) {
		(void)!order_step(&status, ORDER_FAILED);
	} else if (status == ORDER_PENDING) {
		if (!judge(txn, order, now, &judged, p))
			return false;
		if (judged == ORDER_INVALID)
			(void)!order_step(&status, ORDER_FAILED);
	}
	*ret = status;
	return true;
}

bool order_apply(struct store_txn *txn, struct order *order, enum order_event event,
                 const struct state_change *change, struct problem *p)
{
	enum order_status before = order->status;

	if (!order_step(&order->status, event))
		return problem_set(p, PROBLEM_ORDER_NOT_READY, "RFC 8555, 7.4: the order is %s",
		                   order_status_name(before));
	if (order->status == ORDER_INVALID) {
		assert(change->error);
		order->error = change->error;
	}
	if (order->status != ORDER_PENDING && order->status != ORDER_READY && order->status != ORDER_PROCESSING &&
	    change->keep_until)
		order->expires = change->keep_until;
	return store_order_put(txn, order, p);
}

/* Who takes an authorization back ends what is renewed on the strength of it, as if by canceling the order. */
static bool renewals_end(struct store_txn *txn, struct order *order, const struct state_change *change,
                         struct problem *p)
{
	order->star.due = 0;
	return order_apply(txn, order, ORDER_CANCEL, change, p);
}

/* ends: of the proof that was just accepted, as in the authorization. An order that waits to be finalized ends with it. */
static bool order_follow(struct store_txn *txn, const char *id, int64_t ends, const struct state_change *change,
                         struct problem *p)
{
	auto_value(order) order = {0};
	enum order_status judged;
	bool shorter;

	if (!store_order_get(txn, id, &order, p) || !judge(txn, &order, 0, &judged, p))
		return false;
	if (order.status == ORDER_VALID)
		return judged != ORDER_INVALID || change->now > order.star.end || renewals_end(txn, &order, change, p);
	if (judged == ORDER_INVALID)
		return order_apply(txn, &order, ORDER_FAILED, change, p);
	shorter = ends && ends < order.expires && order.status == ORDER_PENDING;
	if (shorter)
		order.expires = ends;
	if (judged == ORDER_READY && order.status == ORDER_PENDING)
		return order_apply(txn, &order, ORDER_AUTHORIZED, change, p);
	return !shorter || store_order_put(txn, &order, p);
}

/* An order's promise holds until it expires (7.4), so what it rests on must not end before it, unless the proof does. */
static bool outlast(struct store_txn *txn, const struct strings *orders, int64_t *expires, struct problem *p)
{
	for (size_t i = 0; i < orders->n; i++) {
		auto_value(order) order = {0};

		if (!store_order_get(txn, orders->v[i], &order, p))
			return false;
		if (order.expires > *expires)
			*expires = order.expires;
	}
	return true;
}

bool authorization_apply(struct store_txn *txn, struct authorization *authorization,
                         enum authorization_event event, const struct state_change *change, struct problem *p)
{
	auto_value(strings) orders = {0};

	if (!authorization_step(&authorization->status, event))
		return true;
	if (!store_order_by_authorization(txn, authorization->id, SIZE_MAX, &orders, p))
		return false;
	if (authorization->status == AUTHORIZATION_VALID) {
		authorization->expires = change->valid_until;
		if (!outlast(txn, &orders, &authorization->expires, p))
			return false;
		authorization->ends = change->ends;
		if (change->ends && change->ends < authorization->expires)
			authorization->expires = change->ends;
	} else if (change->keep_until) {
		authorization->expires = change->keep_until;
	}
	if (!store_authorization_put(txn, authorization, p))
		return false;
	for (size_t i = 0; i < orders.n; i++)
		if (!order_follow(txn, orders.v[i], authorization->ends, change, p))
			return false;
	return true;
}

bool authorizations_outlast(struct store_txn *txn, const struct order *order, int64_t until, struct problem *p)
{
	for (size_t i = 0; i < order->authorizations.n; i++) {
		auto_value(authorization) a = {0};

		if (!store_authorization_get(txn, order->authorizations.v[i], &a, p))
			return false;
		int64_t latest = a.ends && a.ends < until ? a.ends : until;
		if (a.status != AUTHORIZATION_VALID || a.expires >= latest)
			continue;
		a.expires = latest;
		if (!store_authorization_put(txn, &a, p))
			return false;
	}
	return true;
}
