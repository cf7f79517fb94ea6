#include "acme/sweep.h"

#include <stdio.h>

#include "acme/actions.h"
#include "acme/order_state.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/expiry.h"
#include "store/request.h"

/* Each round ends or removes a batch, in one update; a full batch is followed by the next one soon,
 * so that requests come between. */
enum { BATCH = 200, EVERY_MS = 60000, SOON_MS = 50 };

/* What falls due is either ended by time, and then kept for the retention, or had ended before, and
 * its `expires` says how long it was kept: it is removed. */
struct batch {
	struct {
		enum expiry_kind kind;
		char id[RANDOM_ID_SIZE];
	} due[BATCH];
	size_t n, damaged;
	struct state_change change;
	struct buf error;
};

static bool collect(void *arg, enum expiry_kind kind, const char *id, int64_t expires)
{
	struct batch *b = arg;

	(void)expires;
	b->due[b->n].kind = kind;
	snprintf(b->due[b->n].id, RANDOM_ID_SIZE, "%s", id);
	return ++b->n < BATCH;
}

static bool find_due(struct store_txn *txn, void *arg, struct problem *p)
{
	struct batch *b = arg;

	(void)p;
	b->n = 0;
	store_expiry_due(txn, b->change.now, collect, b);
	return true;
}

static bool sweep_order(struct store_txn *txn, const char *id, const struct state_change *change,
                        struct problem *p)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, id, &order, p))
		return false;
	if (order.expires > change->now)
		return true;
	if (order.status == ORDER_VALID || order.status == ORDER_INVALID || order.status == ORDER_CANCELED)
		return store_order_delete(txn, id, p);
	return order_apply(txn, &order, ORDER_FAILED, change, p);
}

static bool sweep_authorization(struct store_txn *txn, const char *id, const struct state_change *change,
                                struct problem *p)
{
	auto_value(authorization) a = {0};

	if (!store_authorization_get(txn, id, &a, p))
		return false;
	if (a.expires > change->now)
		return true;
	if (a.status == AUTHORIZATION_PENDING || a.status == AUTHORIZATION_VALID)
		return authorization_apply(txn, &a, AUTHORIZATION_EXPIRE, change, p);
	return store_authorization_delete(txn, id, p);
}

/* One that nobody approved in time ends; its order is dealt with as that of any that ended. */
static bool sweep_request(struct store_txn *txn, const char *id, const struct state_change *change, struct problem *p)
{
	static const char *late[] = { "it was not approved in time" };
	auto_value(request) request = {0};

	if (!store_request_get(txn, id, &request, p))
		return false;
	if (request.expires > change->now)
		return true;
	if (!request.due)
		return store_request_delete(txn, id, p);
	if (request.state == REQUEST_PENDING || request.state == REQUEST_APPROVED) {
		request.state = REQUEST_EXPIRED;
		request.ended = change->now;
		request.reasons = (struct record_texts){ late, array_length(late) };
	}
	request.expires = change->keep_until;
	return store_request_put(txn, &request, p);
}

static bool sweep_one(struct store_txn *txn, enum expiry_kind kind, const char *id,
                      const struct state_change *change, struct problem *p)
{
	static bool (*const sweepers[])(struct store_txn *txn, const char *id, const struct state_change *change,
	                                struct problem *p) = {
		[EXPIRY_ORDER] = sweep_order, [EXPIRY_AUTHORIZATION] = sweep_authorization,
		[EXPIRY_REQUEST] = sweep_request,
	};

	return sweepers[kind](txn, id, change, p) || problem_forgive(p, PROBLEM_NOT_FOUND);
}

/* What is damaged stays where it is, and holds up nothing else. An error of the store itself ends the update when it
 * is committed. */
static bool sweep_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	struct batch *b = arg;

	b->damaged = 0;
	for (size_t i = 0; i < b->n; i++) {
		if (sweep_one(txn, b->due[i].kind, b->due[i].id, &b->change, p))
			continue;
		if (!problem_forgive(p, PROBLEM_INTERNAL))
			return false;
		b->damaged++;
	}
	return true;
}

static bool sweep(struct acme *acme, struct batch *b, struct problem *p)
{
	auto_value(problem) why = {0};
	int64_t now = clock_now();

	problem_set(&why, PROBLEM_MALFORMED,
	            "RFC 8555, 7.1.6: the order or one of its authorizations has expired");
	acme_problem_write(&why, NULL, &b->error);
	if (!buf_check(&b->error, p))
		return false;
	b->change = (struct state_change){
		.now = now, .keep_until = now + acme->options.retention, .error = buf_text(&b->error),
	};
	return store_view(acme->store, find_due, b, p) && (b->n == 0 ||
	                                                   store_update(acme->store, sweep_batch, b, p));
}

bool acme_sweep_once(struct acme *acme, bool *ret_more, struct problem *p)
{
	auto_free struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return problem_memory(p);
	bool swept = sweep(acme, b, p);
	buf_free(&b->error);
	*ret_more = swept && b->n == BATCH && b->damaged < BATCH;
	if (swept && b->damaged > 0)
		log_event(LOG_LEVEL_ERROR, "sweep", "cause", "the store holds objects that cannot be read", NULL);
	return swept;
}

static void run(void *arg)
{
	auto_value(problem) p = {0}, closing = {0};
	struct acme *acme = arg;
	bool more = false;

	if (!acme_sweep_once(acme, &more, &p))
		log_event(LOG_LEVEL_ERROR, "sweep", "cause", problem_cause(&p), NULL);
	(void)!work_add(acme->sweeper, more ? SOON_MS : EVERY_MS, run, acme, &closing);
}

bool acme_sweep_begin(struct acme *acme, struct problem *p)
{
	return work_open("sweep", 1, 4, &acme->sweeper, p) && work_add(acme->sweeper, EVERY_MS, run, acme, p);
}
