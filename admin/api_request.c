/* GET certificate-requests, and one of them: what became of what was asked for. */

#include "admin/api_page.h"
#include "admin/api_query.h"
#include "admin/request_json.h"

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

struct wanted {
	const struct api_call *call;
	bool by_state;
	enum request_state state;
	struct buf profile;
};

static bool page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                 struct problem *p)
{
	const struct wanted *wanted = arg;

	return store_request_list(txn, wanted->by_state ? &wanted->state : NULL, after, limit, ret, p);
}

static bool fits(const struct wanted *wanted, const struct request *record)
{
	const char *profile = record->profile ?: "";

	return api_sees(wanted->call, profile) &&
	       (wanted->profile.len == 0 || str_equal(buf_text(&wanted->profile), profile)) &&
	       (!wanted->by_state || record->state == wanted->state);
}

static bool row(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p)
{
	auto_value(request) record = {0};
	struct json_writer w = json_writer(ret);

	if (!store_request_get(txn, id, &record, p))
		return false;
	if (fits(arg, &record))
		request_json(&record, &w);
	return true;
}

bool api_request_list(struct api_call *call, struct problem *p)
{
	auto_value(buf) state = {0};
	auto_value(problem) parts = {0};
	struct wanted wanted = { .call = call };

	wanted.by_state = api_query(call, "status", &state, &parts) &&
	                  request_state_from(buf_text(&state), &wanted.state);
	(void)!api_query(call, "profile", &wanted.profile, &parts);
	bool done = api_settle(&parts, p) &&
	            api_page(call, &(struct api_page){ "requests", &wanted, page, row }, p);
	buf_free(&wanted.profile);
	return done;
}
