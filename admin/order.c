/* ACME orders: order list, order show, order cancel. */
#include "store/order.h"

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/words.h"
#include "base/clock.h"

static void put_names(const struct order *order, struct json_writer *w)
{
	const struct order_identifier *v = order->identifiers.v;

	json_open_array(w, "identifiers");
	for (size_t i = 0; i < order->identifiers.n; i++) {
		json_open(w, NULL);
		json_put(w, "type", v[i].type);
		json_put(w, "value", v[i].value);
		json_close(w);
	}
	json_close(w);
}

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

static void put_order(const struct order *order, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "id", order->id);
	json_put(&w, "account", order->account);
	json_put(&w, "directory", order->directory);
	json_put(&w, "profile", order->profile);
	json_put(&w, "status", order_status_name(order->status));
	put_names(order, &w);
	json_put_time(&w, "created", order->created);
	json_put_time(&w, "expires", order->expires);
	json_put_time(&w, "notBefore", order->not_before);
	json_put_time(&w, "notAfter", order->not_after);
	json_put(&w, "replaces", order->replaces);
	json_put(&w, "certificate", order->certificate[0] ? order->certificate : NULL);
	put_star(&order->star, &w);
	if (order->error)
		json_put_raw(&w, "error", BYTES_STR(order->error));
	json_close(&w);
}

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
	buf_printf(ret, "%-12s every %lld s, %lld so far%s\n", "renews", (long long)star->lifetime, (long long)star->count,
	           star->get ? ", for anybody to fetch" : "");
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

struct order_filter {
	const char *account, *status;
	bool star;                     /* those that renew themselves alone */
};

static bool fits(const struct order_filter *filter, const struct order *order)
{
	return (!filter->account || str_equal(order->account, filter->account)) &&
	       (!filter->status || str_equal(order_status_name(order->status), filter->status)) &&
	       (!filter->star || order->star.lifetime > 0);
}

/* Takes those that are not asked for out of the page. */
static bool sift(struct store_txn *txn, const struct order_filter *filter, struct store_page *page, struct problem *p)
{
	struct strings *ids = &page->ids;
	size_t kept = 0;

	for (size_t i = 0; i < ids->n; i++) {
		auto_value(order) order = {0};
		char *id = ids->v[i];

		if (!store_order_get(txn, id, &order, p))
			return false;
		if (fits(filter, &order)) {
			ids->v[i] = ids->v[kept];
			ids->v[kept++] = id;
		}
	}
	while (ids->n > kept)
		free(ids->v[--ids->n]);
	return true;
}

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret, struct problem *p)
{
	return store_order_all(txn, after, limit, ret, p) && sift(txn, arg, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(order) order = {0};
	char expires[CLOCK_RFC3339_SIZE];

	(void)arg;
	if (!store_order_get(txn, id, &order, p))
		return false;
	if (json) {
		put_order(&order, ret);
		return true;
	}
	clock_format(order.expires, expires);
	buf_printf(ret, "%-22s  %-10s  %s  %-22s  %-16s  ", id, order_status_name(order.status), expires, order.account, order.profile);
	add_names(&order, ret);
	return true;
}

static bool read_status(const char *text, struct problem *p)
{
	for (int s = ORDER_PENDING; s <= ORDER_CANCELED; s++)
		if (!text || str_equal(text, order_status_name((enum order_status)s)))
			return true;
	return problem_set(p, PROBLEM_MALFORMED,
	                   "--status: expected pending, ready, processing, valid, invalid or canceled, got `%s`", text);
}

static const struct command_option list_options[] = {
	{ "--account", "ID", "those of one account" },
	{ "--status", "STATUS", "pending, ready, processing, valid, invalid or canceled" },
	{ "--auto-renewal", NULL, "those that renew themselves (RFC 8739)" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool order_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct order_filter filter = {
		command_value(call, "--account"), command_value(call, "--status"), command_value(call, "--auto-renewal"),
	};
	struct listing listing = {
		.call = call, .arg = &filter, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS      EXPIRES               ACCOUNT                 PROFILE           NAMES",
	};

	return read_status(filter.status, p) && listing_limit(command_value(call, "--limit"), &listing.limit, p) &&
	       admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_order_list = {
	.name = "order list", .args = "", .json = true, .admin = true, .options = list_options, .run = order_list_run,
	.summary = "list the ACME orders",
	.details = "Oldest first. Those that have ended are kept for `acme.retention`.",
};

/* --- order show, order cancel */

struct order_asking {
	const struct admin *admin;
	const char *id;
	struct order *ret;
	int64_t now;                   /* of a change */
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct order_asking *asking = arg;

	order_free(asking->ret);
	*asking->ret = (struct order){0};
	return (random_id_valid(asking->id) && store_order_get(txn, asking->id, asking->ret, p)) ||
	       problem_missing(p, "there is no order %s", asking->id);
}

static bool cancel(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct order_asking *asking = arg;

	if (!get(txn, arg, p))
		return false;
	const struct audit_fact facts[] = {
		audit_text("order", asking->id), audit_text("account", asking->ret->account),
		audit_text("profile", asking->ret->profile), { 0 },
	};
	return asking->admin->cancel_order(txn, asking->id, asking->now, p) &&
	       admin_tell(txn, AUDIT_ORDER_CANCELED, asking->now, facts, p) && get(txn, arg, p);
}

static bool print_order(const struct command_call *call, const struct order *order, struct problem *p)
{
	auto_value(buf) text = {0};

	if (call->json) {
		put_order(order, &text);
		return listing_print_object(call, &text, p);
	}
	add_order(order, &text);
	fputs(buf_text(&text), call->out);
	return buf_check(&text, p);
}

static bool order_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(order) order = {0};
	struct order_asking asking = { .admin = call->admin, .id = call->args[0], .ret = &order };

	return admin_open_store(call->admin, &store, p) && store_view(store, get, &asking, p) && print_order(call, &order, p);
}

static bool order_cancel_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(order) order = {0};
	struct order_asking asking = { call->admin, call->args[0], &order, clock_now() };

	return admin_open_store(call->admin, &store, p) && store_update(store, cancel, &asking, p) && print_order(call, &order, p);
}

const struct command admin_order_show = {
	.name = "order show", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = order_show_run,
	.summary = "show one ACME order",
};
const struct command admin_order_cancel = {
	.name = "order cancel", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = order_cancel_run,
	.summary = "end an ACME order",
	.details = "One that renews itself is canceled: no further certificate is made, and those that were made end soon. One that "
	           "is pending or ready becomes invalid. `request cancel` ends one that waits for approval.",
};
