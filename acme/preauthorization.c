#include <stdio.h>

#include "acme/actions.h"
#include "acme/authorization.h"
#include "acme/event.h"
#include "acme/owner.h"
#include "policy/gate.h"
#include "policy/scope.h"

struct preauthorization {
	const struct acme_call *call;
	struct authorization_draft draft;
	struct authorization_found found;
	struct authorization existing; /* the caller's to free */
};

/* Unwilling is 403 here (7.4.1), while newOrder says 400 with the same types. */
static bool refuse_identifier(struct problem *p)
{
	if (p->kind == PROBLEM_REJECTED_IDENTIFIER || p->kind == PROBLEM_UNSUPPORTED_IDENTIFIER)
		p->status = 403;
	return false;
}

static bool may_ask(const struct acme_call *call, const struct identifier *name, struct problem *p)
{
	const struct policy_who who = { .account = call->account.id, .eab = call->account.eab_kid };

	return gate_order_name(call->profiles, call->profile, &who, name, p) && scope_allows(&call->account.scope, name, p);
}

/* Where names below it are meant, it need not be one that could be certified itself. */
static bool may_ask_below(const struct acme_call *call, const struct identifier *name, struct problem *p)
{
	static const char *const below[] = { "", "*.", "a." };
	auto_value(problem) why = {0};

	for (size_t i = 0; i < array_length(below); i++) {
		struct identifier one = { .type = IDENTIFIER_DNS };
		auto_value(problem) ignored = {0};
		if (snprintf(one.value, sizeof(one.value), "%s%s", below[i], name->value) < (int)sizeof(one.value) &&
		    may_ask(call, &one, i ? &ignored : &why))
			return true;
	}
	return problem_pass(&why, p);
}

/* RFC 9444, 4.2: where the profile does not take it, the authorization is for the name alone. */
static bool wants_subdomains(const struct acme_call *call, const struct json *identifier, const struct identifier *name,
                             bool *ret, struct problem *p)
{
	const struct json *member = json_given(identifier, "subdomainAuthAllowed");

	if (member && !json_bool(member, ret))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9444, 4.2: \"subdomainAuthAllowed\" is true or false");
	*ret = *ret && call->profile->subdomains != PROFILE_SUBDOMAINS_NONE && name->type == IDENTIFIER_DNS;
	return true;
}

static bool parse(const struct acme_call *call, struct identifier *ret, bool *ret_subdomains, struct problem *p)
{
	const struct json *identifier = json_member(call->payload, "identifier");
	const char *type = json_member_string(identifier, "type");
	const char *value = json_member_string(identifier, "value");

	if (!type || !value)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.4.1: \"identifier\" with \"type\" and \"value\" is wanted");
	if (!authorization_name(call, type, value, ret, p))
		return refuse_identifier(p);
	if (identifier_is_wildcard(ret))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.4.1: a wildcard name cannot be pre-authorized");
	if (!wants_subdomains(call, identifier, ret, ret_subdomains, p))
		return false;
	return (*ret_subdomains ? may_ask_below(call, ret, p) : may_ask(call, ret, p)) || refuse_identifier(p);
}

static bool is_wider(const struct authorization *draft, const struct authorization *found)
{
	return draft->subdomains && !found->subdomains;
}

static bool tell_granted(struct store_txn *txn, const struct preauthorization *n, struct problem *p)
{
	const char *name = n->draft.identifier.value;
	const struct audit_fact facts[] = {
		audit_text("authorization", n->draft.record.id), audit_text("eab", n->call->account.eab_kid),
		audit_texts("names", ((struct record_texts){ &name, 1 })), { 0 },
	};

	return !n->draft.record.granted ||
	       event_account(txn, n->call, AUDIT_AUTHORIZATION_GRANTED, n->call->account.id, facts, p);
}

/* What is valid already is shown instead of asking for the same proof again, unless it says less. */
static bool store_new(struct store_txn *txn, void *arg, struct problem *p)
{
	struct preauthorization *n = arg;
	const struct acme_call *call = n->call;

	authorization_free(&n->existing);
	n->existing = (struct authorization){0};
	if (!acme_account_stays(txn, call->account.id, p) ||
	    !authorization_find(txn, call->account.id, call->profile, &n->draft.identifier, call->now, &n->found, p) ||
	    (n->found.id[0] && !store_authorization_get(txn, n->found.id, &n->existing, p)))
		return false;
	if (n->found.id[0] && !is_wider(&n->draft.record, &n->existing))
		return true;
	authorization_free(&n->existing);
	n->existing = (struct authorization){0};
	return authorization_room(txn, call, !n->draft.record.granted, p) &&
	       store_authorization_put(txn, &n->draft.record, p) &&
	       tell_granted(txn, n, p);
}

static bool preauthorize(struct preauthorization *n, struct problem *p)
{
	const struct acme_call *call = n->call;
	struct identifier identifier;
	struct authorization_wish wish = { .identifier = &identifier, .preauthorized = true };

	if (!parse(call, &identifier, &wish.subdomains, p) ||
	    !authorization_draft(call, call->profile, &wish, &n->draft, p))
		return false;
	if (n->draft.record.challenges.n == 0 && !n->draft.record.granted) {
		problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "no challenge type can prove \"%s\"",
		            identifier.value);
		return refuse_identifier(p);
	}
	return store_update(call->acme->store, store_new, n, p);
}

static bool is_offered(const struct acme_call *call, struct problem *p)
{
	return !call->profile->acme.no_preauthorization ||
	       problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 8555, 7.4.1: profile %s has no pre-authorization: begin with an order",
	                   call->profile->name);
}

bool acme_authorization_new(struct acme_call *call, struct problem *p)
{
	struct preauthorization n = { .call = call };
	bool done = is_offered(call, p) && preauthorize(&n, p);

	if (done) {
		const struct authorization *shown = n.existing.id[0] ? &n.existing : &n.draft.record;

		acme_location(call, "authz", shown->id, NULL);
		authorization_reply(call, 201, shown);
	}
	authorization_free(&n.existing);
	return done;
}
