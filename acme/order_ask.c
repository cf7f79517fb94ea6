#include "acme/order_request.h"
#include "acme/predecessor.h"
#include "acme/star.h"
#include "base/clock.h"
#include "policy/gate.h"
#include "policy/scope.h"
#include "policy/subdomain.h"

enum { ORDER_NAMES_MAX = 1000 };

static bool request_alloc(struct order_request *r, size_t n, struct problem *p)
{
	r->sent = calloc(n, sizeof(*r->sent));
	r->names = calloc(n, sizeof(*r->names));
	r->proofs = calloc(n, sizeof(*r->proofs));
	r->ids = calloc(n, sizeof(*r->ids));
	return (r->sent && r->names && r->proofs && r->ids) || problem_memory(p);
}

static bool limited(struct problem *p, int wait, const char *name)
{
	return problem_limited(p, wait, "RFC 8555, 6.6: too many orders for the name %s", name);
}

static bool is_open(const struct order_request *r)
{
	const struct acme_call *call = r->call;

	return r->profile && profiles_offer(call->profiles, call->directory, r->profile) &&
	       (!r->profile->eab_required || call->account.eab_kid) &&
	       scope_opens(&call->account.scope, r->profile->name);
}

/* The directory's profile, or another that it offers and that is open to this account. */
static bool choose_profile(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	const struct json *member = json_given(call->payload, "profile");
	const char *name = member ? json_string(member) : call->profile->name;

	if (!name)
		return problem_set(p, PROBLEM_MALFORMED, "\"profile\" is a string");
	r->profile = profiles_find(call->profiles, name);
	r->order.profile_asked = member != NULL;
	return is_open(r) || problem_set(p, PROBLEM_INVALID_PROFILE,
	                                 "there is no profile \"%.64s\" for this account in this directory", name);
}

/* The profiles draft, 4: what the profile that was named cannot have is the choice's fault. */
static bool blame_profile(const struct order_request *r, struct problem *p)
{
	if (r->order.profile_asked)
		p->kind = PROBLEM_INVALID_PROFILE;
	return false;
}

/* A type that the profile certifies none of is not for it, whatever the name (the profiles draft, 4). */
static bool type_fits(const struct order_request *r, const struct identifier *name, struct problem *p)
{
	return !r->order.profile_asked || profile_has_type(r->profile, name->type) ||
	       problem_set(p, PROBLEM_INVALID_PROFILE, "profile %s certifies no identifiers of type %s",
	                   r->profile->name,
	                   identifier_type_name(name->type));
}

static bool is_double(const struct order_request *r, const struct identifier *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (identifier_equal(&r->names[i], name))
			return true;
	return false;
}

/* RFC 9444, 4.3: the domain above that the client can show to be its own, where the profile takes that in the
 * name's place. What the scope grants needs no proof. */
static bool take_ancestor(const struct order_request *r, const struct json *j, const struct identifier *name,
                          struct identifier *ret, struct problem *p)
{
	const struct json *member = json_given(j, "ancestorDomain");
	const char *text = json_string(member);
	auto_value(problem) ignored = {0};
	struct identifier ancestor;

	*ret = *name;
	if (!member)
		return true;
	if (!text || name->type != IDENTIFIER_DNS || !identifier_parse("dns", text, &ancestor, &ignored) ||
	    !subdomain_is_below(name->value, ancestor.value))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 9444, 4.3: \"ancestorDomain\" is no domain above %s", name->value);
	if (r->profile->subdomains != PROFILE_SUBDOMAINS_NONE && !identifier_is_wildcard(name) &&
	    !scope_authorizes(&r->call->account.scope, name))
		*ret = ancestor;
	return true;
}

static bool is_allowed(const struct order_request *r, const struct identifier *name, struct problem *p)
{
	const struct account *account = &r->call->account;
	const struct policy_who who = { .account = account->id, .eab = account->eab_kid };

	return gate_order_name(r->call->profiles, r->profile, &who, name, p) && scope_allows(&account->scope, name, p);
}

/* Adds one, or a part to p that says why not. Doubles are dropped: the certificate is the same. */
static bool take_identifier(struct order_request *r, const struct json *j, struct problem *p)
{
	const char *type = json_member_string(j, "type"), *value = json_member_string(j, "value");
	auto_value(problem) why = {0};
	struct identifier name, proven;

	if (!type || !value)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.4: each identifier has a \"type\" and a \"value\"");
	if (!authorization_name(r->call, type, value, &name, &why)) {
		problem_add(p, why.kind, type, value, "%s", why.detail);
		return true;
	}
	if (!type_fits(r, &name, p))
		return false;
	if (!is_allowed(r, &name, &why) || !take_ancestor(r, j, &name, &proven, &why)) {
		problem_add(p, why.kind, type, value, "%s", why.detail);
		return true;
	}
	if (is_double(r, &name))
		return true;
	r->names[r->n] = name;
	r->proofs[r->n].proven = proven;
	r->sent[r->n++] = (struct order_identifier){ .type = type, .value = value };
	return true;
}

static bool take_identifiers(struct order_request *r, struct problem *p)
{
	const struct json *list = json_member(r->call->payload, "identifiers");
	size_t n = json_length(list);

	if (!json_is_array(list) || n == 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.4: \"identifiers\" is an array with at least one entry");
	if (n > ORDER_NAMES_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%zu identifiers are more than an order can have", n);
	if (!request_alloc(r, n, p))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!take_identifier(r, json_at(list, i), p))
			return false;
	if (!problem_settle(p, "%s", p->sub_count != 1 ? "some of the identifiers are not accepted"
	                                               : p->subs[0].detail))
		return false;
	if (r->n <= r->profile->names_max)
		return true;
	problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "%zu identifiers: profile %s allows %u in one certificate", r->n,
	            r->profile->name, r->profile->names_max);
	return blame_profile(r, p);
}

/* Go's zero time is nothing said: smallstep's client sends it with each order. */
static bool take_time(const struct acme_call *call, const char *name, int64_t *ret, struct problem *p)
{
	const struct json *member = json_given(call->payload, name);
	const char *text = json_string(member);

	if (!member || (text && str_equal(text, "0001-01-01T00:00:00Z")))
		return true;
	if (!text || !clock_parse(text, ret))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.4: \"%s\" is not a time of RFC 3339", name);
	*ret = *ret ?: 1; /* 0 is not asked */
	return true;
}

/* RFC 8739, 3.1.1; its dates are in the place of notBefore and notAfter. */
static bool take_star(struct order_request *r, struct problem *p)
{
	const struct issuer *issuer = ca_issuer_current(r->call->acme->ca, r->profile->issuer);

	if (!star_take(r->call, r->profile, &r->order.star, p))
		return !r->profile->star.on && blame_profile(r, p);
	return !issuer || r->order.star.end <= issuer_not_after(issuer) ||
	       problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.1: \"end-date\" is later than the CA's own "
	                   "certificate ends");
}

/* What cannot be had is refused now, and not altered later (7.4). */
static bool take_times(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	const struct issuer *issuer = ca_issuer_current(call->acme->ca, r->profile->issuer);
	struct order *o = &r->order;
	int64_t from, to;

	if (!take_time(call, "notBefore", &o->not_before, p) || !take_time(call, "notAfter", &o->not_after, p))
		return false;
	if (!profile_period(r->profile, call->now, call->now, o->not_before, o->not_after, &from, &to, p))
		return blame_profile(r, p);
	return !o->not_after || !issuer || o->not_after <= issuer_not_after(issuer) ||
	       problem_set(p, PROBLEM_MALFORMED,
	                   "RFC 8555, 7.4: notAfter is later than the CA's own certificate ends");
}

static bool take_replaces(struct order_request *r, struct problem *p)
{
	const struct json *member = json_given(r->call->payload, "replaces");

	r->order.replaces = json_string(member);
	if (!member)
		return true;
	if (!r->order.replaces)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 5: \"replaces\" is a string");
	return predecessor_check(r->call, r->order.replaces, r->names, r->n, &r->renewal, p);
}

/* Renewals that come when they were asked for are not held up (RFC 9773, 5). */
static bool take_tokens(const struct order_request *r, struct problem *p)
{
	int wait;

	if (r->renewal)
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (!limit_take(r->call->acme->orders_per_name, r->names[i].value, &wait))
			return limited(p, wait, r->names[i].value);
	return true;
}

bool order_ask(struct order_request *r, struct problem *p)
{
	return choose_profile(r, p) && take_identifiers(r, p) && take_star(r, p) && take_times(r, p) &&
	       take_replaces(r, p) && take_tokens(r, p);
}
