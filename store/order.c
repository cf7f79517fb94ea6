#include "store/order.h"

#include <assert.h>

#include "store/table.h"

static const struct record_field identifier_fields[] = {
	record_text_always(1, order_identifier, type),
	record_text_always(2, order_identifier, value),
};
static const struct record_schema identifier_schema = {
	"order identifier", sizeof(struct order_identifier), identifier_fields, array_length(identifier_fields),
};

static const struct record_field order_fields[] = {
	record_id(1, order, id),
	record_id(2, order, account),
	record_text(3, order, directory),
	record_text(4, order, profile),
	record_bool(5, order, profile_asked),
	record_enum(6, order, status, order_status, ORDER_CANCELED),
	record_list(7, order, identifiers, &identifier_schema),
	record_texts(8, order, authorizations),
	record_time(9, order, created),
	record_time(10, order, expires),
	record_time(11, order, not_before),
	record_time(12, order, not_after),
	record_text(13, order, error),
	record_bytes(14, order, csr_digest),
	record_id(15, order, certificate),
	record_text(16, order, replaces),
	record_integer(17, order, star.lifetime),
	record_time(18, order, star.start),
	record_time(19, order, star.end),
	record_integer(20, order, star.adjust),
	record_bool(21, order, star.get),
	record_time(22, order, star.first),
	record_integer(23, order, star.count),
	record_time(24, order, star.due),
	record_bytes(25, order, star.csr),
};
static const struct record_schema order_schema = {
	"order", sizeof(struct order), order_fields, array_length(order_fields),
};

static void index_account(const struct order *order, struct index *ix)
{
	struct key key;

	key_begin(&key, KEY_ORDER_ACCOUNT);
	if (order->status == ORDER_INVALID || !key_add_id(&key, order->account))
		return;
	key_add_newest(&key, order->created);
	index_add(ix, &key);
}

static void index_waiting(const struct order *order, struct index *ix)
{
	struct key key;

	bool renewed = order->status == ORDER_VALID && order->star.due != 0;

	if (order->status != ORDER_PENDING && order->status != ORDER_READY && !renewed)
		return;
	for (size_t i = 0; i < order->authorizations.n; i++) {
		key_begin(&key, KEY_ORDER_WAITING);
		if (key_add_id(&key, order->authorizations.v[i]))
			index_add(ix, &key);
	}
}

static void index_star(const struct order *order, struct index *ix)
{
	struct key key;

	if (order->star.due == 0 || order->status != ORDER_VALID)
		return;
	key_begin(&key, KEY_ORDER_STAR);
	key_add_time(&key, order->star.due);
	index_add(ix, &key);
}

static void order_index(const void *record, struct index *ix)
{
	const struct order *order = record;

	index_account(order, ix);
	index_waiting(order, ix);
	index_star(order, ix);
	expiry_index(ix, EXPIRY_ORDER, order->expires);
}

static const struct table orders = { .class = KEY_ORDER, .schema = &order_schema, .index = order_index };

const char *order_status_name(enum order_status s)
{
	static const char *const names[] = {
		[ORDER_PENDING] = "pending", [ORDER_READY] = "ready", [ORDER_PROCESSING] = "processing",
		[ORDER_VALID] = "valid", [ORDER_INVALID] = "invalid", [ORDER_CANCELED] = "canceled",
	};

	assert((size_t)s < array_length(names));
	return names[s];
}

void order_free(struct order *order)
{
	record_free(order);
}

void order_put_identifiers(const struct order *order, struct json_writer *w)
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

bool store_order_get(struct store_txn *txn, const char *id, struct order *ret, struct problem *p)
{
	return table_get(txn, &orders, id, ret, p);
}

bool store_order_put(struct store_txn *txn, const struct order *order, struct problem *p)
{
	return table_put(txn, &orders, order->id, order, p);
}

bool store_order_list(struct store_txn *txn, const char *account, const char *after, size_t limit,
                      struct store_page *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ORDER_ACCOUNT);
	if (!key_add_id(&prefix, account))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such account");
	return page_read(txn, &prefix, false, after, limit, ret, p);
}

bool store_order_all(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ORDER);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}

static bool on_authorization(struct key *prefix, const char *authorization, struct problem *p)
{
	key_begin(prefix, KEY_ORDER_WAITING);
	return key_add_id(prefix, authorization) || problem_set(p, PROBLEM_NOT_FOUND, "there is no such authorization");
}

bool store_order_by_authorization(struct store_txn *txn, const char *authorization, size_t limit, struct strings *ret,
                                  struct problem *p)
{
	struct key prefix;

	return on_authorization(&prefix, authorization, p) && page_read_ids(txn, &prefix, limit, ret, p);
}

bool store_order_count_waiting(struct store_txn *txn, const char *authorization, size_t max, size_t *ret,
                               struct problem *p)
{
	struct key prefix;

	return on_authorization(&prefix, authorization, p) && page_count(txn, &prefix, max, ret, p);
}

bool store_order_star_due(struct store_txn *txn, int64_t now, size_t limit, struct strings *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ORDER_STAR);
	return page_read_due(txn, &prefix, now, limit, ret, p);
}

bool store_order_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	return table_delete(txn, &orders, id, p);
}
