/* ACME accounts: GET, PATCH, deactivate. */
#include "admin/account_life.h"
#include "admin/api_page.h"
#include "admin/api_query.h"
#include "admin/api_scope.h"
#include "policy/scope.h"

static bool reply_with(struct api_call *call, const struct account *row, struct problem *p)
{
	api_reply(call, 200);
	account_json(row, &call->response->body);
	return buf_check(&call->response->body, p);
}

/* --- read */

struct reading {
	const char *id;
	struct account *ret;
};

static bool read_one(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reading *r = arg;

	return account_find(txn, r->id, r->ret, p);
}

bool api_account_get(struct api_call *call, struct problem *p)
{
	auto_value(account) row = {0};
	struct reading reading = { call->request->captures[0], &row };

	return store_view(call->api->store, read_one, &reading, p) && reply_with(call, &row, p);
}

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_account_list(txn, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p)
{
	auto_value(account) row = {0};

	if (!store_account_get(txn, id, &row, p))
		return false;
	if (account_fits(arg, &row))
		account_json(&row, ret);
	return true;
}

bool api_account_list(struct api_call *call, struct problem *p)
{
	auto_value(buf) status = {0}, directory = {0}, eab = {0};
	auto_value(problem) parts = {0};
	struct account_filter filter = {
		.status = api_query(call, "status", &status, &parts) ? buf_text(&status) : NULL,
		.directory = api_query(call, "directory", &directory, &parts) ? buf_text(&directory) : NULL,
		.eab = api_query(call, "eab", &eab, &parts) ? buf_text(&eab) : NULL,
	};

	return api_settle(&parts, p) &&
	       api_page(call, &(struct api_page){ "accounts", &filter, list_page, list_row }, p);
}

/* --- limited */

static bool apply(const void *arg, struct scope_words *words, struct scope *scope, struct problem *p)
{
	auto_value(problem) parts = {0};

	api_scope_read(arg, words, scope, &parts);
	return api_settle(&parts, p) && scope_check(scope, p);
}

bool api_account_limit(struct api_call *call, struct problem *p)
{
	auto_value(account) row = {0};
	const struct scope_change change = { apply, call };
	const struct actor actor = api_actor(call);

	if (json_length(call->body) == 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "expected at least one member that says what the account may order");
	/* A token that is bound to names gives an account none, and takes no bound of it away. */
	return api_may_give_names(call, p) &&
	       account_limit(call->api->store, call->request->captures[0], &change, &actor, &row, p) &&
	       reply_with(call, &row, p);
}

/* --- ended */

bool api_account_deactivate(struct api_call *call, struct problem *p)
{
	auto_value(account) row = {0};
	const struct actor actor = api_actor(call);
	bool more = false; /* what is left is done by the sweeper of ACME */

	return account_deactivate(call->api->store, call->request->captures[0], call->api->options.cancel_work,
	                          &actor, &row, &more, p) &&
	       reply_with(call, &row, p);
}
