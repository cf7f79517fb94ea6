/* GET certificate-requests, and one of them: what became of what was asked for. */

#include "admin/api_query.h"
#include "admin/request_json.h"

enum { LOOK_MAX = 2000 };

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

bool api_owns_record(const struct api_call *call)
{
	const struct request *record = &call->record;

	return record->identity && !record->by_server && str_equal(record->identity, identity_text(call->identity));
}

/* By who asked, who decides, and who may read. */
static bool may_read(const struct api_call *call)
{
	auto_value(problem) why = {0};

	return api_owns_record(call) || identity_may(call->identity, TOKEN_READ, call->record.profile, &why) ||
	       identity_may(call->identity, TOKEN_APPROVE, call->record.profile, &why);
}

bool api_request_get(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	if (!may_read(call))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "the request %s is another's, and the token has not the role read",
		                   call->record.id);
	request_json(&call->record, &w);
	return buf_check(&call->response->body, p);
}

/* --- the list */

struct listing_requests {
	const struct api_call *call;
	struct json_writer *out;
	bool by_state;
	enum request_state state;
	struct buf profile;
	size_t limit, found, looked;
	char next[STORE_CURSOR_SIZE];
};

static bool fits(const struct listing_requests *l, const struct request *record)
{
	const char *profile = record->profile ?: "";

	return api_sees(l->call, profile) && (l->profile.len == 0 || str_equal(buf_text(&l->profile), profile)) &&
	       (!l->by_state || record->state == l->state);
}

static bool list_some(struct store_txn *txn, struct listing_requests *l, struct problem *p)
{
	auto_value(store_page) page = {0};
	const enum request_state *state = l->by_state ? &l->state : NULL;

	if (!store_request_list(txn, state, l->next, l->limit - l->found, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++) {
		auto_value(request) record = {0};
		l->looked++;
		if (!store_request_get(txn, page.ids.v[i], &record, p))
			return false;
		if (!fits(l, &record))
			continue;
		request_json(&record, l->out);
		l->found++;
	}
	memcpy(l->next, page.next, sizeof(l->next));
	return true;
}

static bool list_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct listing_requests *l = arg;

	do
		if (!list_some(txn, l, p))
			return false;
	while (l->next[0] && l->found < l->limit && l->looked < LOOK_MAX);
	return true;
}

static bool take_query(struct listing_requests *l, struct problem *p)
{
	auto_value(buf) state = {0};
	auto_value(problem) parts = {0};

	l->limit = api_query_limit(l->call, &parts);
	l->by_state = api_query(l->call, "status", &state, &parts) && request_state_from(buf_text(&state), &l->state);
	api_query_after(l->call, l->next, &parts);
	(void)!api_query(l->call, "profile", &l->profile, &parts);
	return api_settle(&parts, p);
}

bool api_request_list(struct api_call *call, struct problem *p)
{
	struct listing_requests l = { .call = call };
	struct json_writer w = api_reply(call, 200);

	l.out = &w;
	bool done = take_query(&l, p);
	if (done) {
		json_open(&w, NULL);
		json_open_array(&w, "requests");
		done = store_view(call->api->store, list_page, &l, p);
		json_close(&w);
		json_put(&w, "next", or_null(l.next));
		json_close(&w);
	}
	buf_free(&l.profile);
	return done && buf_check(&call->response->body, p);
}
