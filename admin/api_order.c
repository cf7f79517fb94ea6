/* ACME orders: GET, cancel. */
#include "admin/api_page.h"
#include "admin/api_query.h"
#include "admin/order_life.h"

static bool reply_with(struct api_call *call, const struct order *row, struct problem *p)
{
	api_reply(call, 200);
	order_json(row, &call->response->body);
	return buf_check(&call->response->body, p);
}

bool api_order_get(struct api_call *call, struct problem *p)
{
	return reply_with(call, &call->order, p);
}

bool api_order_cancel(struct api_call *call, struct problem *p)
{
	auto_value(order) row = {0};
	const struct actor actor = api_actor(call);

	return order_cancel(call->api->store, call->order.id, call->api->options.cancel_order, &actor, &row, p) &&
	       reply_with(call, &row, p);
}

struct listing {
	const struct api_call *call;
	struct order_filter filter;
};

/* The index of an account has its orders but for those that are invalid. */
static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	const struct order_filter *filter = &((const struct listing *)arg)->filter;
	bool by_account = filter->account && !str_equal(filter->status ?: "", "invalid");

	return by_account ? store_order_list(txn, filter->account, after, limit, ret, p)
	                  : store_order_all(txn, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p)
{
	const struct listing *l = arg;
	auto_value(order) row = {0};

	if (!store_order_get(txn, id, &row, p))
		return false;
	if (order_fits(&l->filter, &row) && api_sees(l->call, row.profile))
		order_json(&row, ret);
	return true;
}

bool api_order_list(struct api_call *call, struct problem *p)
{
	auto_value(buf) account = {0}, status = {0}, profile = {0}, star = {0};
	auto_value(problem) parts = {0};
	struct listing listing = { .call = call, .filter = {
		.account = api_query(call, "account", &account, &parts) ? buf_text(&account) : NULL,
		.status = api_query(call, "status", &status, &parts) ? buf_text(&status) : NULL,
		.profile = api_query(call, "profile", &profile, &parts) ? buf_text(&profile) : NULL,
		.star = api_query(call, "autoRenewal", &star, &parts),
	} };

	if (listing.filter.account && !random_id_valid(listing.filter.account))
		problem_add_field(&parts, PROBLEM_MALFORMED, "account", listing.filter.account,
		                  "expected the id of an account");
	return api_settle(&parts, p) &&
	       api_page(call, &(struct api_page){ "orders", &listing, list_page, list_row }, p);
}
