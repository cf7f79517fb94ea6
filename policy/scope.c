#include "policy/scope.h"

#include "policy/pattern.h"

enum { RETRY_MAX = 86400 };

static bool patterns_check(const struct record_texts *patterns, struct problem *p)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (!pattern_typed_check(patterns->v[i], p))
			return false;
	return true;
}

bool scope_check(const struct scope *scope, struct problem *p)
{
	struct addr_net net;

	if (!patterns_check(&scope->names, p) || !patterns_check(&scope->authorized, p))
		return false;
	for (size_t i = 0; i < scope->networks.n; i++)
		if (!addr_net_parse(scope->networks.v[i], &net))
			return problem_set(p, PROBLEM_MALFORMED, "a network such as 10.0.0.0/8 is wanted, not `%s`",
			                   scope->networks.v[i]);
	if (scope->quota < 0 || scope->quota_total < 0 || scope->quota_period < 0 ||
	    (scope->quota > 0) != (scope->quota_period > 0))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "a quota is a number of certificates and the time that it is for");
	return true;
}

bool scope_opens(const struct scope *scope, const char *profile)
{
	return scope->profiles.n == 0 || record_texts_has(&scope->profiles, profile);
}

/* A network that cannot be read lets nobody in. */
bool scope_admits(const struct scope *scope, const struct addr *from)
{
	struct addr_net net;

	for (size_t i = 0; i < scope->networks.n; i++)
		if (addr_net_parse(scope->networks.v[i], &net) && addr_net_has(&net, from))
			return true;
	return scope->networks.n == 0;
}

static bool matches(const struct record_texts *patterns, const struct identifier *name)
{
	return pattern_typed_any(patterns->v, patterns->n, name);
}

bool scope_authorizes(const struct scope *scope, const struct identifier *name)
{
	return matches(&scope->authorized, name);
}

bool scope_authorizes_type(const struct scope *scope, enum identifier_type type)
{
	const char *name = identifier_type_name(type);

	for (size_t i = 0; i < scope->authorized.n; i++)
		if (str_starts(scope->authorized.v[i], name) && scope->authorized.v[i][strlen(name)] == ':')
			return true;
	return false;
}

bool scope_allows(const struct scope *scope, const struct identifier *name, struct problem *p)
{
	return scope->names.n == 0 || matches(&scope->names, name) || matches(&scope->authorized, name) ||
	       problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "%s is not one that this account may order", name->value);
}

/* --- quotas */

static bool has_quota(const struct scope *scope)
{
	return scope->quota > 0 || scope->quota_total > 0;
}

bool scope_is_metered(const struct account *account)
{
	return has_quota(&account->scope) || account->quota_shared;
}

/* A period begins with its first certificate. */
static bool is_over(const struct scope *scope, int64_t now)
{
	return now < scope->spent_since || now - scope->spent_since >= scope->quota_period;
}

static bool has_room(const struct scope *scope, int64_t now, struct problem *p)
{
	int64_t wait = scope->spent_since + scope->quota_period - now;

	if (scope->quota_total > 0 && scope->spent_total >= scope->quota_total)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the quota of %lld certificates in all is spent",
		                   (long long)scope->quota_total);
	if (scope->quota == 0 || is_over(scope, now) || scope->spent < scope->quota)
		return true;
	return problem_limited(p, wait > RETRY_MAX ? RETRY_MAX : (int)wait,
	                       "RFC 8555, 6.6: the quota of %lld certificates in %lld seconds is spent",
	                       (long long)scope->quota, (long long)scope->quota_period);
}

static void spend(struct scope *scope, int64_t now)
{
	if (is_over(scope, now)) {
		scope->spent = 0;
		scope->spent_since = now;
	}
	scope->spent++;
	scope->spent_total++;
}

/* A key that is gone counts nothing any more. */
static bool key_get(struct store_txn *txn, const struct account *account, struct eab *ret, struct problem *p)
{
	return !account->quota_shared || !account->eab_kid || store_eab_get(txn, account->eab_kid, ret, p) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

bool scope_has_room(struct store_txn *txn, const struct account *account, int64_t now, struct problem *p)
{
	auto_value(eab) key = {0};

	return !scope_is_metered(account) ||
	       (has_room(&account->scope, now, p) && key_get(txn, account, &key, p) && has_room(&key.scope, now, p));
}

bool scope_spend(struct store_txn *txn, const char *id, int64_t now, struct problem *p)
{
	auto_value(account) account = {0};
	auto_value(eab) key = {0};

	if (!store_account_get(txn, id, &account, p))
		return false;
	if (!scope_is_metered(&account))
		return true;
	if (!has_room(&account.scope, now, p) || !key_get(txn, &account, &key, p) || !has_room(&key.scope, now, p))
		return false;
	spend(&account.scope, now);
	spend(&key.scope, now);
	return (!has_quota(&account.scope) || store_account_put(txn, &account, p)) &&
	       (!key.kid || !has_quota(&key.scope) || store_eab_put(txn, &key, p));
}
