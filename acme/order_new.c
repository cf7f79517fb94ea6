#include <assert.h>

#include "acme/actions.h"
#include "acme/authorization.h"
#include "acme/event.h"
#include "acme/order.h"
#include "acme/order_state.h"
#include "acme/predecessor.h"
#include "base/clock.h"

enum { ORDER_NAMES_MAX = 1000 };

/* A newOrder request (RFC 8555, 7.4): all that is random or takes the clock is made before the
 * update, which may run more than once. */
struct order_request {
	const struct acme_call *call;
	const struct profile *profile;
	size_t n;                            /* identifiers, without doubles */
	struct order_identifier *sent;       /* as the client wrote them; borrowed from the payload */
	struct identifier *names;            /* canonical */
	struct authorization_draft *drafts;  /* what is stored where nothing can be reused */
	struct authorization_found *found;
	const char **ids;                    /* of the order's authorizations */
	struct order order;
	int64_t expires;
	bool renewal;                        /* of a certificate whose time has come (RFC 9773, 5) */
};

static void request_free(struct order_request *r)
{
	free(r->sent);
	free(r->names);
	free(r->drafts);
	free(r->found);
	free(r->ids);
}

static bool request_alloc(struct order_request *r, size_t n, struct problem *p)
{
	r->sent = calloc(n, sizeof(*r->sent));
	r->names = calloc(n, sizeof(*r->names));
	r->drafts = calloc(n, sizeof(*r->drafts));
	r->found = calloc(n, sizeof(*r->found));
	r->ids = calloc(n, sizeof(*r->ids));
	return (r->sent && r->names && r->drafts && r->found && r->ids) || problem_memory(p);
}

static bool limited(struct problem *p, int wait, const char *what, const char *of)
{
	problem_set(p, PROBLEM_RATE_LIMITED, "RFC 8555, 6.6: too many orders for %s %s", what, of);
	p->retry_after = wait;
	return false;
}

/* --- what is asked for */

/* The directory's profile, or another that it offers and that is open to this account. */
static bool choose_profile(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	const struct json *member = json_member(call->payload, "profile");
	const char *name = json_string(member);

	r->profile = call->profile;
	if (!member)
		return true;
	if (!name)
		return problem_set(p, PROBLEM_MALFORMED, "\"profile\" is a string");
	r->profile = profiles_find(call->profiles, name);
	if (!r->profile || !profiles_offer(call->profiles, call->directory, r->profile) ||
	    (r->profile->eab_required && !call->account.eab_kid))
		return problem_set(p, PROBLEM_INVALID_PROFILE,
		                   "there is no profile \"%.64s\" for this account in this directory", name);
	r->order.profile_asked = true;
	return true;
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
	       problem_set(p, PROBLEM_INVALID_PROFILE, "profile %s certifies no identifiers of type %s", r->profile->name,
	                   identifier_type_name(name->type));
}

static bool is_double(const struct order_request *r, const struct identifier *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (identifier_equal(&r->names[i], name))
			return true;
	return false;
}

/* Adds one, or a part to p that says why not. Doubles are dropped: the certificate is the same. */
static bool take_identifier(struct order_request *r, const struct json *j, struct problem *p)
{
	const char *type = json_member_string(j, "type"), *value = json_member_string(j, "value");
	auto_value(problem) why = {0};
	struct identifier name;

	if (!type || !value)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.4: each identifier has a \"type\" and a \"value\"");
	const struct policy_who who = { .account = r->call->account.id, .eab = r->call->account.eab_kid };
	if (!identifier_parse(type, value, &name, &why)) {
		problem_add(p, why.kind, type, value, "%s", why.detail);
		return true;
	}
	if (!type_fits(r, &name, p))
		return false;
	if (!profile_allows(r->profile, &who, &name, &why)) {
		problem_add(p, why.kind, type, value, "%s", why.detail);
		return true;
	}
	if (is_double(r, &name))
		return true;
	r->names[r->n] = name;
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
	if (!problem_settle(p, "some of the identifiers are not accepted"))
		return false;
	if (r->n <= r->profile->names_max)
		return true;
	problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "%zu identifiers: profile %s allows %u in one certificate", r->n,
	            r->profile->name, r->profile->names_max);
	return blame_profile(r, p);
}

static bool take_time(const struct acme_call *call, const char *name, int64_t *ret, struct problem *p)
{
	const struct json *member = json_member(call->payload, name);
	const char *text = json_string(member);

	if (!member)
		return true;
	return (text && clock_parse(text, ret)) ||
	       problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.4: \"%s\" is not a time of RFC 3339", name);
}

/* What cannot be had is refused now, and not altered later (7.4). */
static bool take_times(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	const struct issuer *issuer = ca_issuer(call->acme->ca, r->profile->issuer);
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
	const struct json *member = json_member(r->call->payload, "replaces");

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
			return limited(p, wait, "the name", r->names[i].value);
	return true;
}

static bool make_drafts(struct order_request *r, struct problem *p)
{
	for (size_t i = 0; i < r->n; i++)
		if (!authorization_draft(r->call, r->profile, &r->names[i], false, &r->drafts[i], p))
			return false;
	return true;
}

static bool make_order(struct order_request *r, struct problem *p)
{
	const struct acme_call *call = r->call;
	struct order *o = &r->order;

	o->directory = call->directory;
	o->profile = r->profile->name;
	o->status = ORDER_PENDING;
	o->created = call->now;
	o->identifiers = (struct record_list){ .v = r->sent, .n = r->n };
	o->authorizations = (struct record_texts){ .v = r->ids, .n = r->n };
	r->expires = call->now + call->acme->options.order_lifetime;
	memcpy(o->account, call->account.id, sizeof(o->account));
	return random_id_timed(o->id, p);
}

/* --- the update */

static bool provable(const struct order_request *r, size_t i, struct problem *p)
{
	const struct identifier *name = &r->names[i];

	if (r->found[i].id[0] || r->drafts[i].record.challenges.n > 0)
		return true;
	problem_add(p, PROBLEM_REJECTED_IDENTIFIER, r->sent[i].type, r->sent[i].value,
	            "no challenge type that this server offers can prove %s \"%s\"",
	            identifier_is_wildcard(name) ? "the wildcard name" : "the name", name->value);
	return true;
}

/* Finds what can be reused. ret_new: how many it does not. */
static bool find_authorizations(struct store_txn *txn, struct order_request *r, size_t *ret_new,
                                struct problem *p)
{
	*ret_new = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!authorization_find(txn, r->call->account.id, r->profile, &r->names[i], r->call->now, &r->found[i], p))
			return false;
		*ret_new += !r->found[i].id[0];
	}
	for (size_t i = 0; i < r->n; i++)
		if (!provable(r, i, p))
			return false;
	return problem_settle(p, "some of the identifiers cannot be proven");
}

/* The order is a promise until it expires (7.4), so it ends with what it rests on. */
static bool store_authorizations(struct store_txn *txn, struct order_request *r, struct problem *p)
{
	r->order.expires = r->expires;
	for (size_t i = 0; i < r->n; i++) {
		const struct authorization_found *found = &r->found[i];

		r->ids[i] = found->id[0] ? found->id : r->drafts[i].record.id;
		if (found->id[0] && found->expires < r->order.expires)
			r->order.expires = found->expires;
		if (!found->id[0] && !store_authorization_put(txn, &r->drafts[i].record, p))
			return false;
	}
	return true;
}

static bool store_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct order_request *r = arg;
	size_t new;

	r->order.status = ORDER_PENDING;
	if (!find_authorizations(txn, r, &new, p) || !authorization_room(txn, r->call, new, p) ||
	    !store_authorizations(txn, r, p))
		return false;
	if (new == 0 && !order_step(&r->order.status, ORDER_AUTHORIZED))
		return false;
	return store_order_put(txn, &r->order, p);
}

static bool request_parse(struct order_request *r, struct problem *p)
{
	return choose_profile(r, p) && take_identifiers(r, p) && take_times(r, p) && take_replaces(r, p) && take_tokens(r, p) &&
	       make_drafts(r, p) && make_order(r, p);
}

bool acme_order_new(struct acme_call *call, struct problem *p)
{
	struct order_request r = { .call = call };
	bool done;
	int wait;

	if (!limit_take(call->acme->orders_per_account, call->account.id, &wait))
		return limited(p, wait, "account", call->account.id);
	done = request_parse(&r, p) && store_update(call->acme->store, store_order, &r, p);
	if (done)
		order_reply(call, 201, &r.order, r.order.status);
	else
		event_refused(call, AUDIT_ORDER_REFUSED, NULL, NULL, p);
	request_free(&r);
	return done;
}
