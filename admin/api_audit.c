/* GET audit/events: the audit log, oldest first, page by page. */
#include <errno.h>
#include <stdio.h>

#include "admin/api_call.h"
#include "admin/api_query.h"

struct reading {
	struct audit_query query;
	uint64_t after;
	size_t limit;
	struct audit_page *ret;
};

static bool read_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;
	uint64_t begin = 0;

	if (r->query.since && !store_audit_seek(txn, r->query.since, &begin, p))
		return false;
	return store_audit_read(txn, &r->query, begin > r->after ? begin : r->after, r->limit, r->ret, p);
}

static bool take_after(const struct api_call *call, uint64_t *ret, struct problem *parts)
{
	auto_value(buf) text = {0};

	if (!api_query(call, "after", &text, parts))
		return true;
	errno = 0;
	*ret = strtoull(buf_text(&text), NULL, 10);
	return (buf_text(&text)[strspn(buf_text(&text), "0123456789")] == '\0' && errno == 0) ||
	       problem_add_field(parts, PROBLEM_MALFORMED, "after", buf_text(&text), "expected the number of an event");
}

/* The line as it was hashed, and its hash. One that was tampered with so that it is no JSON has its number and hash
 * alone. */
static void put_event(struct json_writer *w, const struct audit_entry *entry)
{
	auto_value(buf) event = {0}, hash = {0};
	size_t len = strlen(entry->line);

	buf_add_hex(&hash, BYTES(entry->hash, SHA256_SIZE));
	if (entry->time && len > 2)
		buf_printf(&event, "%.*s,\"hash\":\"%s\"}", (int)len - 1, entry->line, buf_text(&hash));
	else
		buf_printf(&event, "{\"seq\":%llu,\"hash\":\"%s\"}", (unsigned long long)entry->seq, buf_text(&hash));
	if (event.failed || hash.failed)
		w->out->failed = true;
	else
		json_put_raw(w, NULL, buf_bytes(&event));
}

static bool reply(struct api_call *call, const struct audit_page *page, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	char next[24];

	snprintf(next, sizeof(next), "%llu", (unsigned long long)page->after);
	json_open(&w, NULL);
	json_open_array(&w, "events");
	for (size_t i = 0; i < page->n; i++)
		put_event(&w, &page->v[i]);
	json_close(&w);
	json_put(&w, "next", page->end ? NULL : next);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_audit_list(struct api_call *call, struct problem *p)
{
	auto_value(problem) parts = {0};
	auto_value(buf) kind = {0};
	auto_value(audit_page) page = {0};
	struct reading reading = { .ret = &page };

	reading.limit = api_query_limit(call, &parts);
	reading.query.since = api_query_time(call, "since", &parts);
	reading.query.kind = api_query(call, "kind", &kind, &parts) ? buf_text(&kind) : NULL;
	(void)!take_after(call, &reading.after, &parts);
	return api_settle(&parts, p) && store_view(call->api->store, read_page, &reading, p) && reply(call, &page, p);
}
