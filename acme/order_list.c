#include "acme/actions.h"
#include "store/order.h"

struct listing {
	const struct acme_call *call;
	const char *after;
	struct store_page page; /* the caller's to free */
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct listing *l = arg;

	return store_order_list(txn, l->call->account.id, l->after, l->call->acme->options.orders_page,
	                        &l->page, p);
}

static void write(struct acme_call *call, const struct store_page *page)
{
	struct json_writer w = acme_reply(call, 200);

	json_open(&w, NULL);
	json_open_array(&w, "orders");
	for (size_t i = 0; i < page->ids.n; i++) {
		auto_value(buf) url = {0};

		acme_url(call, &url, "order", page->ids.v[i], NULL);
		json_put_buf(&w, NULL, &url);
	}
	json_close(&w);
	json_close(&w);
}

/* Newest first, without those that are invalid (RFC 8555, 7.1.2.1). The cursor is base64url. */
bool acme_order_list(struct acme_call *call, struct problem *p)
{
	auto_value(buf) cursor = {0};
	struct listing l = { .call = call };
	bool done;

	if (!str_equal(call->capture[0], call->account.id))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the orders belong to another account");
	(void)!http_query(call->request, "cursor", &cursor);
	if (!buf_check(&cursor, p))
		return false;
	l.after = buf_text(&cursor);
	done = store_view(call->acme->store, load, &l, p);
	if (done)
		write(call, &l.page);
	if (done && l.page.next[0])
		http_response_header_printf(call->response, "Link", "<%s%s?cursor=%s>;rel=\"next\"",
		                            call->request->base_url, call->request->path, l.page.next);
	store_page_free(&l.page);
	return done;
}
