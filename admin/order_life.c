#include "admin/order_life.h"

const char *const order_statuses[] = { "pending", "ready", "processing", "valid", "invalid", "canceled", NULL };

bool order_fits(const struct order_filter *filter, const struct order *order)
{
	return (!filter->account || str_equal(order->account, filter->account)) &&
	       (!filter->status || str_equal(order_status_name(order->status), filter->status)) &&
	       (!filter->profile || str_equal(order->profile, filter->profile)) &&
	       (!filter->star || order->star.lifetime > 0);
}

bool order_find(struct store_txn *txn, const char *id, struct order *ret, struct problem *p)
{
	order_free(ret);
	*ret = (struct order){0};
	return (random_id_valid(id) && store_order_get(txn, id, ret, p)) ||
	       problem_missing(p, "there is no order %s", id);
}

/* --- ended */

struct cancelling {
	const char *id;
	order_cancel_one *cancel;
	const struct actor *actor;
	struct order *ret;
};

static bool cancel(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct cancelling *c = arg;

	if (!order_find(txn, c->id, c->ret, p))
		return false;
	const struct audit_fact facts[] = {
		audit_text("order", c->id),
		audit_text("account", c->ret->account),
		audit_text("profile", c->ret->profile),
		{ 0 },
	};
	return c->cancel(txn, c->id, c->actor->now, p) && actor_tell(txn, AUDIT_ORDER_CANCELED, c->actor, facts, p) &&
	       order_find(txn, c->id, c->ret, p);
}

bool order_cancel(struct store *store, const char *id, order_cancel_one *one, const struct actor *actor,
                  struct order *ret, struct problem *p)
{
	struct cancelling cancelling = { id, one, actor, ret };

	return store_update(store, cancel, &cancelling, p);
}

/* --- shown */

static void put_star(const struct order_star *star, struct json_writer *w)
{
	if (!star->lifetime)
		return;
	json_open(w, "autoRenewal");
	json_put_time(w, "start", star->start);
	json_put_time(w, "end", star->end);
	json_put_integer(w, "lifetime", star->lifetime);
	json_put_integer(w, "certificates", star->count);
	json_put_time(w, "next", star->due);
	json_put_bool(w, "public", star->get);
	json_close(w);
}

void order_json(const struct order *order, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "id", order->id);
	json_put(&w, "account", order->account);
	json_put(&w, "directory", order->directory);
	json_put(&w, "profile", order->profile);
	json_put(&w, "status", order_status_name(order->status));
	order_put_identifiers(order, &w);
	json_put_time(&w, "created", order->created);
	json_put_time(&w, "expires", order->expires);
	json_put_time(&w, "notBefore", order->not_before);
	json_put_time(&w, "notAfter", order->not_after);
	json_put(&w, "replaces", order->replaces);
	json_put_some(&w, "certificate", order->certificate);
	put_star(&order->star, &w);
	if (order->error)
		json_put_raw(&w, "error", BYTES_STR(order->error));
	json_close(&w);
}
