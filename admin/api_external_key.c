/* The keys of external account binding: POST, GET, revoke. */
#include "admin/api_page.h"
#include "admin/api_scope.h"
#include "admin/external_key.h"
#include "base/clock.h"

static bool reply_with(struct api_call *call, const struct eab *row, const char *key, struct problem *p)
{
	api_reply(call, 200);
	external_key_json(row, key, call->now, &call->response->body);
	return buf_check(&call->response->body, p);
}

/* --- made */

static bool take_wish(const struct api_call *call, struct scope_words *words, struct eab *ret, struct problem *p)
{
	auto_value(problem) parts = {0};
	const char *expires = json_member_string(call->body, "expires");

	ret->note = json_member_string(call->body, "note");
	(void)!json_integer(json_member(call->body, "usesMax"), &ret->uses_max);
	if (expires && (!clock_parse(expires, &ret->expires) || ret->expires <= call->now))
		problem_add_field(&parts, PROBLEM_MALFORMED, "expires", expires, "expected a time to come");
	api_scope_read(call, words, &ret->scope, &parts);
	return api_settle(&parts, p) && (ret->scope.authorized.n == 0 || api_may_give_names(call, p));
}

bool api_external_key_create(struct api_call *call, struct problem *p)
{
	auto_value(scope_words) words = {0};
	auto_value(external_key) made = {0};
	struct eab wish = {0};
	const struct actor actor = api_actor(call);

	return take_wish(call, &words, &wish, p) && external_key_make(call->api->store, &wish, &actor, &made, p) &&
	       reply_with(call, &made.row, buf_text(&made.key), p);
}

/* --- read, ended */

struct reading {
	const char *kid;
	struct eab *ret;
};

static bool read_one(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reading *r = arg;

	return external_key_find(txn, r->kid, r->ret, p);
}

bool api_external_key_get(struct api_call *call, struct problem *p)
{
	auto_value(eab) row = {0};
	struct reading reading = { call->request->captures[0], &row };

	return store_view(call->api->store, read_one, &reading, p) && reply_with(call, &row, NULL, p);
}

bool api_external_key_revoke(struct api_call *call, struct problem *p)
{
	auto_value(eab) row = {0};
	const struct actor actor = api_actor(call);

	return external_key_revoke(call->api->store, call->request->captures[0], &actor, &row, p) &&
	       reply_with(call, &row, NULL, p);
}

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_eab_list(txn, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *kid, struct buf *ret, struct problem *p)
{
	const struct api_call *call = arg;
	auto_value(eab) eab = {0};

	if (!store_eab_get(txn, kid, &eab, p))
		return false;
	external_key_json(&eab, NULL, call->now, ret);
	return true;
}

bool api_external_key_list(struct api_call *call, struct problem *p)
{
	return api_page(call, &(struct api_page){ "keys", call, list_page, list_row }, p);
}
