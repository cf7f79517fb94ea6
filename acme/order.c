#include "acme/order.h"

#include "acme/actions.h"
#include "acme/claim.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/star.h"

struct loading {
	const struct acme_call *call;
	struct order *order;
	enum order_status status;
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct loading *l = arg;

	return store_order_get(txn, l->call->capture[0], l->order, p) &&
	       acme_owned(l->call, l->order->account, l->order->directory, "order", p) &&
	       order_status_at(txn, l->order, l->call->now, &l->status, p);
}

/* The claim is looked for before the store: the finalize that holds it has either stored its
 * result when the store is read, or has the claim still. So no reply says "ready" after another
 * has said that a certificate comes. */
bool order_load(const struct acme_call *call, struct order *ret, enum order_status *ret_status,
                struct problem *p)
{
	struct loading l = { .call = call, .order = ret };
	bool held = claim_held(call->acme->claims, call->capture[0]);

	if (!store_view(call->acme->store, load, &l, p))
		return false;
	*ret_status = l.status == ORDER_READY && held ? ORDER_PROCESSING : l.status;
	return true;
}

static void write_url(const struct acme_call *call, struct json_writer *w, const char *name, const char *kind,
                      const char *id, const char *more)
{
	auto_value(buf) url = {0};

	acme_url(call, &url, kind, id, more);
	json_put_buf(w, name, &url);
}

/* Names below one domain may have one authorization (RFC 9444). */
static bool is_shown(const struct record_texts *ids, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_equal(ids->v[k], ids->v[i]))
			return true;
	return false;
}

static void write_authorizations(const struct acme_call *call, struct json_writer *w,
                                 const struct order *order)
{
	const struct record_texts *ids = &order->authorizations;

	json_open_array(w, "authorizations");
	for (size_t i = 0; i < ids->n; i++)
		if (!is_shown(ids, i))
			write_url(call, w, NULL, "authz", ids->v[i], NULL);
	json_close(w);
}

/* An order that time has ended says so before the sweeper has stored it. */
static void write_error(struct json_writer *w, const struct order *order)
{
	auto_value(problem) why = {0};
	auto_value(buf) text = {0};

	if (order->error) {
		json_put_raw(w, "error", BYTES_STR(order->error));
		return;
	}
	problem_set(&why, PROBLEM_MALFORMED,
	            "RFC 8555, 7.1.6: the order or one of its authorizations has expired");
	acme_problem_write(&why, NULL, &text);
	json_put_raw(w, "error", buf_bytes(&text));
}

static void order_write(const struct acme_call *call, struct json_writer *w, const struct order *order,
                        enum order_status status)
{
	json_open(w, NULL);
	json_put(w, "status", order_status_name(status));
	if (status != ORDER_INVALID)
		json_put_time(w, "expires", order->expires);
	order_put_identifiers(order, w);
	json_put(w, "profile", order->profile);
	json_put(w, "replaces", order->replaces);
	json_put_time(w, "notBefore", order->not_before);
	json_put_time(w, "notAfter", order->not_after);
	write_authorizations(call, w, order);
	write_url(call, w, "finalize", "order", order->id, "finalize");
	star_write(w, &order->star);
	if (status == ORDER_VALID && star_is(order))
		write_url(call, w, "star-certificate", "star-certificate", order->id, NULL);
	else if (status == ORDER_VALID)
		write_url(call, w, "certificate", "certificate", order->certificate, NULL);
	if (status == ORDER_INVALID)
		write_error(w, order);
	json_close(w);
}

/* Seconds: an order that is stored as processing waits for people's approval. */
#define PEOPLE_TAKE "30"

void order_reply(struct acme_call *call, int http_status, const struct order *order, enum order_status status)
{
	struct json_writer w = acme_reply(call, http_status);

	acme_location(call, "order", order->id, NULL);
	if (status == ORDER_PROCESSING)
		http_response_header(call->response, "Retry-After",
		                     order->status == ORDER_PROCESSING ? PEOPLE_TAKE : "1");
	order_write(call, &w, order, status);
}

bool acme_order_get(struct acme_call *call, struct problem *p)
{
	auto_value(order) order = {0};
	enum order_status status;

	if (call->payload)
		return star_cancel(call, p);
	if (!order_load(call, &order, &status, p))
		return false;
	order_reply(call, 200, &order, status);
	return true;
}
