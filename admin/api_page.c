#include "admin/api_page.h"

#include "admin/api_query.h"

enum { LOOK_MAX = 2000 };

struct turning {
	const struct api_page *page;
	struct json_writer *out;
	size_t limit, shown, looked;
	char next[STORE_CURSOR_SIZE]; /* where to go on */
};

static bool put_row(struct store_txn *txn, struct turning *t, const char *id, struct problem *p)
{
	auto_value(buf) text = {0};

	if (!t->page->row(txn, t->page->arg, id, &text, p) || !buf_check(&text, p))
		return false;
	if (text.len == 0)
		return true;
	t->shown++;
	json_put_raw(t->out, NULL, buf_bytes(&text));
	return true;
}

static bool read_some(struct store_txn *txn, struct turning *t, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!t->page->page(txn, t->page->arg, t->next, t->limit - t->shown, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++)
		if (!put_row(txn, t, page.ids.v[i], p))
			return false;
	t->looked += page.ids.n;
	memcpy(t->next, page.next, sizeof(t->next));
	return true;
}

/* Rows that are not shown cost time too. */
static bool turn(struct store_txn *txn, void *arg, struct problem *p)
{
	struct turning *t = arg;

	do
		if (!read_some(txn, t, p))
			return false;
	while (t->next[0] && t->shown < t->limit && t->looked < LOOK_MAX);
	return true;
}

bool api_page(struct api_call *call, const struct api_page *page, struct problem *p)
{
	auto_value(problem) parts = {0};
	struct turning turning = { .page = page };

	turning.limit = api_query_limit(call, &parts);
	api_query_after(call, turning.next, &parts);
	if (!api_settle(&parts, p))
		return false;
	struct json_writer w = api_reply(call, 200);
	turning.out = &w;
	json_open(&w, NULL);
	json_open_array(&w, page->member);
	bool done = store_view(call->api->store, turn, &turning, p);
	json_close(&w);
	json_put_some(&w, "next", turning.next);
	json_close(&w);
	return done && buf_check(&call->response->body, p);
}
