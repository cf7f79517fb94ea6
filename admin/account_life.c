#include "admin/account_life.h"

const char *const account_statuses[] = { "valid", "deactivated", "revoked", NULL };

static bool same(const char *wanted, const char *have)
{
	return !wanted || str_equal(wanted, have ?: "");
}

bool account_fits(const struct account_filter *filter, const struct account *account)
{
	return same(filter->status, account_status_name(account->status)) &&
	       same(filter->directory, account->directory) && same(filter->eab, account->eab_kid);
}

bool account_find(struct store_txn *txn, const char *id, struct account *ret, struct problem *p)
{
	account_free(ret);
	*ret = (struct account){0};
	return (random_id_valid(id) && store_account_get(txn, id, ret, p)) ||
	       problem_missing(p, "there is no account %s", id);
}

/* --- limited */

struct limiting {
	const char *id;
	const struct scope_change *change;
	const struct actor *actor;
	struct account *ret;
};

static bool tell_limited(struct store_txn *txn, const struct limiting *l, struct problem *p)
{
	const struct scope *scope = &l->ret->scope;
	const struct audit_fact facts[] = {
		audit_text("account", l->id),
		audit_texts("profiles", scope->profiles),
		audit_texts("names", scope->names),
		audit_texts("authorized", scope->authorized),
		audit_texts("networks", scope->networks),
		audit_integer("quota", scope->quota),
		audit_integer("quotaPeriod", scope->quota_period),
		audit_integer("quotaTotal", scope->quota_total),
		{ 0 },
	};

	return actor_tell(txn, AUDIT_ACCOUNT_LIMITED, l->actor, facts, p);
}

static bool limit(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct limiting *l = arg;
	auto_value(scope_words) words = {0};

	if (!account_find(txn, l->id, l->ret, p))
		return false;
	return l->change->apply(l->change->arg, &words, &l->ret->scope, p) && store_account_put(txn, l->ret, p) &&
	       tell_limited(txn, l, p) && account_find(txn, l->id, l->ret, p); /* the words end here */
}

bool account_limit(struct store *store, const char *id, const struct scope_change *change, const struct actor *actor,
                   struct account *ret, struct problem *p)
{
	struct limiting limiting = { id, change, actor, ret };

	return store_update(store, limit, &limiting, p);
}

/* --- ended */

struct ending {
	const char *id;
	account_cancel_work *cancel;
	const struct actor *actor;
	struct account *ret;
	bool *ret_more;
};

static bool deactivate(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct ending *e = arg;

	if (!account_find(txn, e->id, e->ret, p))
		return false;
	if (e->ret->status != ACCOUNT_VALID)
		return problem_set(p, PROBLEM_CONFLICT, "account %s is %s already", e->id,
		                   account_status_name(e->ret->status));
	e->ret->status = ACCOUNT_DEACTIVATED;
	const struct audit_fact facts[] = { audit_text("account", e->id),
		                            audit_text("directory", e->ret->directory),
		                            { 0 } };
	return store_account_put(txn, e->ret, p) && e->cancel(txn, e->id, e->ret_more, p) &&
	       actor_tell(txn, AUDIT_ACCOUNT_DEACTIVATED, e->actor, facts, p);
}

bool account_deactivate(struct store *store, const char *id, account_cancel_work *cancel, const struct actor *actor,
                        struct account *ret, bool *ret_more, struct problem *p)
{
	struct ending ending = { id, cancel, actor, ret, ret_more };

	return store_update(store, deactivate, &ending, p);
}

/* --- shown */

void account_json(const struct account *account, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	auto_value(buf) thumbprint = {0};

	json_open(&w, NULL);
	json_put(&w, "id", account->id);
	json_put(&w, "directory", account->directory);
	json_put(&w, "status", account_status_name(account->status));
	json_put_texts(&w, "contact", account->contacts.v, account->contacts.n);
	json_put_bool(&w, "termsOfServiceAgreed", account->terms_agreed);
	json_put_time(&w, "created", account->created);
	json_put(&w, "createdFrom", account->created_from);
	json_put(&w, "eab", account->eab_kid);
	scope_put(&w, &account->scope);
	buf_add_base64url(&thumbprint, account->thumbprint);
	json_put_buf(&w, "thumbprint", &thumbprint);
	json_close(&w);
}
