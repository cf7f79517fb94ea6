#include "acme/actions.h"
#include "acme/event.h"
#include "acme/order.h"
#include "acme/order_request.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/predecessor.h"
#include "policy/scope.h"

static void request_free(struct order_request *r)
{
	free(r->sent);
	free(r->names);
	free(r->proofs);
	free(r->ids);
}

static bool limited(struct problem *p, int wait, const char *of)
{
	return problem_limited(p, wait, "RFC 8555, 6.6: too many orders for account %s", of);
}

static bool make_order(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	struct order *o = &r->order;

	o->directory = call->directory;
	o->profile = r->profile->name;
	o->status = ORDER_PENDING;
	o->created = call->now;
	o->identifiers = (struct record_list){ .v = r->sent, .n = r->n };
	o->authorizations = (struct record_texts){ .v = r->ids, .n = r->n };
	r->expires = call->now + call->acme->options.order_lifetime;
	memcpy(o->account, call->account.id, sizeof(o->account));
	return random_id_timed(o->id, p);
}

static bool store_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct order_request *r = arg;
	bool ready;

	r->order.status = ORDER_PENDING;
	if (!acme_account_stays(txn, r->call->account.id, p) ||
	    !scope_has_room(txn, &r->call->account, r->call->now, p) ||
	    !order_prove(txn, r, &ready, p))
		return false;
	if (ready && !order_step(&r->order.status, ORDER_AUTHORIZED))
		return false;
	return predecessor_mark(txn, r->call, &r->order, p) && store_order_put(txn, &r->order, p);
}

bool acme_order_new(struct acme_call *call, struct problem *p)
{
	struct order_request r = { .call = call };
	bool done;
	int wait;

	if (!limit_take(call->acme->orders_per_account, call->account.id, &wait))
		return limited(p, wait, call->account.id);
	done = order_ask(&r, p) && make_order(&r, p) && order_prove_begin(&r, p) &&
	       store_update(call->acme->store, store_order, &r, p);
	if (done)
		order_reply(call, 201, &r.order, r.order.status);
	else
		event_refused(call, AUDIT_ORDER_REFUSED, NULL, NULL, p);
	request_free(&r);
	return done;
}
