/* ACME orders: order list, order show, order cancel. */
#include "admin/admin.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "admin/order_life.h"
#include "admin/words.h"
#include "base/clock.h"

static void add_names(const struct order *order, struct buf *ret)
{
	const struct order_identifier *v = order->identifiers.v;

	for (size_t i = 0; i < order->identifiers.n; i++)
		buf_printf(ret, "%s%s:%s", i ? " " : "", v[i].type, v[i].value);
}

static void add_star(const struct order_star *star, struct buf *ret)
{
	if (!star->lifetime)
		return;
	buf_printf(ret, "%-12s every %lld s, %lld so far%s\n", "renews", (long long)star->lifetime,
	           (long long)star->count, star->get ? ", for anybody to fetch" : "");
	words_time("until", star->end, ret);
	words_time("next", star->due, ret);
}

static void add_order(const struct order *order, struct buf *ret)
{
	words_text("id", order->id, ret);
	words_text("status", order_status_name(order->status), ret);
	words_text("account", order->account, ret);
	words_text("directory", order->directory, ret);
	words_text("profile", order->profile, ret);
	buf_printf(ret, "%-12s ", "names");
	add_names(order, ret);
	buf_add_char(ret, '\n');
	words_time("created", order->created, ret);
	words_time("expires", order->expires, ret);
	words_time("not before", order->not_before, ret);
	words_time("not after", order->not_after, ret);
	words_text("replaces", order->replaces, ret);
	words_text("certificate", order->certificate, ret);
	add_star(&order->star, ret);
	words_text("error", order->error, ret);
}

/* --- order list */

static bool is_asked_for(struct store_txn *txn, void *arg, const char *id, bool *ret, struct problem *p)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, id, &order, p))
		return false;
	*ret = order_fits(arg, &order);
	return true;
}

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	return store_order_all(txn, after, limit, ret, p) && listing_sift(txn, is_asked_for, arg, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(order) order = {0};
	char expires[CLOCK_RFC3339_SIZE];

	(void)arg;
	if (!store_order_get(txn, id, &order, p))
		return false;
	if (json) {
		order_json(&order, ret);
		return true;
	}
	clock_format(order.expires, expires);
	buf_printf(ret, "%-22s  %-10s  %s  %-22s  %-16s  ", id, order_status_name(order.status), expires,
	           order.account, order.profile);
	add_names(&order, ret);
	return true;
}

static bool read_status(const char *text, struct problem *p)
{
	for (size_t i = 0; text && order_statuses[i]; i++)
		if (str_equal(text, order_statuses[i]))
			return true;
	return !text || problem_set(p, PROBLEM_MALFORMED,
	                            "--status: expected pending, ready, processing, valid, invalid or canceled, got "
	                            "`%s`",
	                            text);
}

static const struct command_option list_options[] = {
	{ "--account", "ID", "those of one account" },
	{ "--status", "STATUS", "pending, ready, processing, valid, invalid or canceled" },
	{ "--profile", "NAME", "those of one profile" },
	{ "--auto-renewal", NULL, "those that renew themselves (RFC 8739)" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool order_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct order_filter filter = {
		command_value(call, "--account"), command_value(call, "--status"), command_value(call, "--profile"),
		command_value(call, "--auto-renewal"),
	};
	struct listing listing = {
		.call = call,
		.arg = &filter,
		.page = list_page,
		.row = list_row,
		.heading = "ID                      STATUS      EXPIRES               ACCOUNT                 "
		           "PROFILE           NAMES",
	};

	return read_status(filter.status, p) &&
	       option_number("--limit", command_value(call, "--limit"), 1, &listing.limit, p) &&
	       admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_order_list = {
	.name = "order list", .args = "", .json = true, .admin = true, .options = list_options, .run = order_list_run,
	.summary = "list the ACME orders",
	.details = "Oldest first. Those that have ended are kept for `acme.retention`.",
};

/* --- order show, order cancel */

struct asking {
	const char *id;
	struct order *ret;
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct asking *asking = arg;

	return order_find(txn, asking->id, asking->ret, p);
}

static bool print_order(const struct command_call *call, const struct order *order, struct problem *p)
{
	auto_value(buf) text = {0};

	if (call->json)
		order_json(order, &text);
	else
		add_order(order, &text);
	return listing_print_object(call, &text, p);
}

static bool order_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(order) order = {0};
	struct asking asking = { call->args[0], &order };

	return admin_open_store(call->admin, &store, p) && store_view(store, get, &asking, p) &&
	       print_order(call, &order, p);
}

static bool order_cancel_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(order) order = {0};
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);

	return admin_open_store(call->admin, &store, p) &&
	       order_cancel(store, call->args[0], call->admin->cancel_order, &actor, &order, p) &&
	       print_order(call, &order, p);
}

const struct command admin_order_show = {
	.name = "order show", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = order_show_run,
	.summary = "show one ACME order",
};
const struct command admin_order_cancel = {
	.name = "order cancel",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.run = order_cancel_run,
	.summary = "end an ACME order",
	.details = "One that renews itself is canceled: no further certificate is made, and those that were made "
	           "end soon. One that is pending or ready becomes invalid. `request cancel` ends one that waits "
	           "for approval.",
};
