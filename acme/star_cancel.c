#include "acme/event.h"
#include "acme/order.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/star.h"

struct canceling {
	const struct acme_call *call;
	struct order order;      /* as it is afterwards; the caller's to free */
};

/* In a view or an update; a further run begins anew. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct canceling *c = arg;

	order_free(&c->order);
	c->order = (struct order){ 0 };
	return store_order_get(txn, c->call->capture[0], &c->order, p) &&
	       acme_owned(c->call, c->order.account, c->order.directory, "order", p);
}

static bool cancel(struct store_txn *txn, void *arg, struct problem *p)
{
	struct canceling *c = arg;
	const struct acme_call *call = c->call;
	const struct state_change change = {
		.now = call->now, .keep_until = call->now + call->acme->options.retention,
	};
	const struct audit_fact facts[] = { audit_text("order", call->capture[0]), { 0 } };

	if (!load(txn, arg, p))
		return false;
	if (!star_is(&c->order) || c->order.status != ORDER_VALID)
		return problem_set(p, PROBLEM_AUTO_RENEWAL_CANCELLATION_INVALID, "RFC 8739, 3.1.2: the order is %s%s",
		                   order_status_name(c->order.status), star_is(&c->order) ? ""
		                   : ", and not one that renews itself");
	c->order.star.due = 0;
	return order_apply(txn, &c->order, ORDER_CANCEL, &change, p) &&
	       event_account(txn, call, AUDIT_ORDER_CANCELED, call->account.id, facts, p);
}

static bool wants_cancellation(const struct json *payload, struct problem *p)
{
	const char *status = json_member_string(payload, "status");

	return (status && str_equal(status, order_status_name(ORDER_CANCELED))) ||
	       problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.2: the only update of an order is {\"status\": "
	                   "\"canceled\"}");
}

/* --- by an operator */

static bool end_unissued(struct store_txn *txn, struct order *order, int64_t now, struct problem *p)
{
	auto_value(problem) why = {0};
	auto_value(buf) error = {0};

	problem_set(&why, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.1.6: an operator has ended the order");
	acme_problem_write(&why, NULL, &error);
	const struct state_change change = { .now = now, .error = buf_text(&error) };
	return buf_check(&error, p) && order_apply(txn, order, ORDER_FAILED, &change, p);
}

bool acme_order_cancel(struct store_txn *txn, const char *id, int64_t now, struct problem *p)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, id, &order, p))
		return false;
	if (order.status == ORDER_PENDING || order.status == ORDER_READY)
		return end_unissued(txn, &order, now, p);
	if (order.status != ORDER_VALID || !star_is(&order))
		return problem_set(p, PROBLEM_CONFLICT, "the order %s is %s%s", id, order_status_name(order.status),
		                   order.status == ORDER_PROCESSING ? ": cancel its request" : " already");
	order.star.due = 0;
	return order_apply(txn, &order, ORDER_CANCEL, &(struct state_change){ .now = now }, p);
}

/* --- by its account */

bool star_cancel(struct acme_call *call, struct problem *p)
{
	struct canceling c = { .call = call };
	bool done = store_view(call->acme->store, load, &c, p) && wants_cancellation(call->payload, p) &&
	            store_update(call->acme->store, cancel, &c, p);

	if (done)
		order_reply(call, 200, &c.order, c.order.status);
	order_free(&c.order);
	return done;
}
