#include "policy/gate_case.h"

#include "base/clock.h"
#include "policy/scope.h"
#include "policy/star.h"
#include "policy/subdomain.h"

void gate_case_free(struct gate_case *c)
{
	order_free(&c->order);
	request_free(&c->request_record);
	account_free(&c->account);
	for (size_t i = 0; i < c->authorization_count; i++)
		authorization_free(&c->authorizations[i]);
	free(c->authorizations);
	free(c->identifiers);
	identifiers_free(&c->proven);
	identifiers_free(&c->names);
	subject_free(&c->subject);
	problem_done(&c->no_room);
	subject_free(&c->held_subject);
	identifiers_free(&c->held_names);
	csr_free(c->csr);
	*c = (struct gate_case){0};
}

/* One that was swept away stays empty: no rule takes it for a valid one. */
static bool authorization_read(struct store_txn *txn, const char *id, struct authorization *ret,
                               struct problem *p)
{
	return store_authorization_get(txn, id, ret, p) || problem_forgive(p, PROBLEM_NOT_FOUND);
}

/* An order has one when it waits in processing, and no other costs the look. */
static bool request_read(struct store_txn *txn, struct gate_case *c, struct problem *p)
{
	return c->order.status != ORDER_PROCESSING || store_request_by_order(txn, c->order.id, &c->request_record, p) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool order_read(struct store_txn *txn, void *arg, struct problem *p)
{
	struct gate_case *c = arg;

	if (!store_order_get(txn, c->order_id, &c->order, p) || !request_read(txn, c, p) ||
	    !store_account_get(txn, c->account_id, &c->account, p))
		return false;
	if (!scope_has_room(txn, &c->account, c->now, &c->no_room) && problem_is_ours(&c->no_room))
		return problem_pass(&c->no_room, p);
	c->authorizations = calloc(c->order.authorizations.n + 1, sizeof(*c->authorizations));
	if (!c->authorizations)
		return problem_memory(p);
	c->authorization_count = c->order.authorizations.n;
	for (size_t i = 0; i < c->authorization_count; i++)
		if (!authorization_read(txn, c->order.authorizations.v[i], &c->authorizations[i], p))
			return false;
	return true;
}

/* The order's identifiers are judged anew: a name that an older version let pass may be none now. */
static bool identifiers_read(struct gate_case *c, struct problem *p)
{
	const struct order_identifier *asked = c->order.identifiers.v;
	size_t count = c->order.identifiers.n;

	c->identifiers = calloc(count + 1, sizeof(*c->identifiers));
	if (!c->identifiers)
		return problem_memory(p);
	c->identifier_count = count;
	for (size_t i = 0; i < count; i++)
		if (!identifier_parse(asked[i].type ?: "", asked[i].value ?: "", &c->identifiers[i], p) ||
		    !identifiers_add(&c->proven, &c->identifiers[i], p))
			return false;
	return true;
}

bool gate_case_read_order(struct store *store, struct gate_case *c, struct problem *p)
{
	if (!store_view(store, order_read, c, p) || !identifiers_read(c, p))
		return false;
	c->profile_name = c->order.profile ?: "";
	c->profile = profiles_find(c->profiles, c->profile_name);
	return true;
}

bool gate_case_part(struct problem *p, const struct problem *why, const struct identifier *i)
{
	return problem_add(p, why->kind, i ? identifier_type_name(i->type) : NULL, i ? i->value : NULL, "%s",
	                   why->detail[0] ? why->detail : why->cause);
}

/* A text that a record does not have is equal to none. */
static bool same(const char *a, const char *b)
{
	return a && b && str_equal(a, b);
}

bool gate_order_owner(const struct gate_case *c, struct problem *p)
{
	return (same(c->order.account, c->account_id) && same(c->account.id, c->account_id) &&
	        same(c->order.directory, c->account.directory)) ||
	       problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
	                   "RFC 8555, 7.4: the order is another account's");
}

bool gate_account_valid(const struct gate_case *c, struct problem *p)
{
	return c->account.status == ACCOUNT_VALID ||
	       problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL, "RFC 8555, 7.3.6: the account is %s",
	                   account_status_name(c->account.status));
}

/* Whether it has a certificate that is renewed without asking anybody (RFC 8739) and that is due: not sooner, and not
 * after it was canceled. */
static bool is_rolling(const struct gate_case *c)
{
	struct star_dates dates;

	return star_is(&c->order) && c->order.status == ORDER_VALID && star_next(&c->order.star, c->now, &dates);
}

bool gate_rolling_same(const struct gate_case *c, struct problem *p)
{
	return !is_rolling(c) || bytes_equal(c->order.csr_digest, BYTES(c->csr->digest, sizeof(c->csr->digest))) ||
	       problem_add(p, PROBLEM_BAD_CSR, NULL, NULL,
	                   "RFC 8739, 2.2: a renewal is made from the CSR of the first certificate");
}

bool gate_order_ready(const struct gate_case *c, struct problem *p)
{
	return c->order.status == ORDER_READY || is_rolling(c) ||
	       (c->order.status == ORDER_PROCESSING && gate_case_approved(c)) ||
	       problem_add(p, PROBLEM_ORDER_NOT_READY, NULL, NULL, "RFC 8555, 7.4: the order is %s, not ready",
	                   order_status_name(c->order.status));
}

bool gate_order_unexpired(const struct gate_case *c, struct problem *p)
{
	return c->now < c->order.expires ||
	       problem_add(p, PROBLEM_ORDER_NOT_READY, NULL, NULL, "RFC 8555, 7.1.3: the order has expired");
}

bool gate_profile_known(const struct gate_case *c, struct problem *p)
{
	return c->profile || problem_add(p, PROBLEM_INVALID_PROFILE, NULL, NULL,
	                                 "there is no profile \"%s\" any more", c->profile_name);
}

bool gate_profile_open(const struct gate_case *c, struct problem *p)
{
	return (c->profile->methods & c->method) != 0 ||
	       problem_add(p, PROBLEM_INVALID_PROFILE, NULL, NULL,
	                   "profile %s is not open to this way of asking", c->profile->name);
}

bool gate_directory_offers(const struct gate_case *c, struct problem *p)
{
	return profiles_offer(c->profiles, c->order.directory ?: "", c->profile) ||
	       problem_add(p, PROBLEM_INVALID_PROFILE, NULL, NULL, "the directory \"%s\" does not offer profile %s",
	                   c->order.directory ?: "", c->profile->name);
}

bool gate_identity_may(const struct gate_case *c, struct problem *p)
{
	auto_value(problem) why = {0};

	return identity_may(c->identity, TOKEN_ISSUE, c->profile->name, &why) || gate_case_part(p, &why, NULL);
}

/* An account of an open directory may have named a profile that asks for more. */
bool gate_account_bound(const struct gate_case *c, struct problem *p)
{
	return !c->profile->eab_required || c->account.eab_kid ||
	       problem_add(p, PROBLEM_EXTERNAL_ACCOUNT_REQUIRED, NULL, NULL,
	                   "RFC 8555, 7.3.4: profile %s is for accounts that are bound to an external one", c->profile->name);
}

typedef bool authorization_test(const struct gate_case *c, const struct authorization *a);

/* Adds the part of the rule for each authorization that does not fit it. */
static bool authorizations_each(const struct gate_case *c, authorization_test *fits, const char *text,
                                struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->identifier_count && i < c->authorization_count; i++) {
		const struct identifier *name = &c->identifiers[i];
		if (fits(c, &c->authorizations[i]))
			continue;
		held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
		                   "RFC 8555, 7.4: the authorization for %s %s", name->value, text);
	}
	return held;
}

/* One that is missing is told by the cover rule alone. */
static bool is_missing(const struct authorization *a)
{
	return a->id[0] == '\0';
}

static bool is_valid(const struct gate_case *c, const struct authorization *a)
{
	(void)c;
	return is_missing(a) || a->status == AUTHORIZATION_VALID;
}

static bool is_unexpired(const struct gate_case *c, const struct authorization *a)
{
	return is_missing(a) || c->now < a->expires;
}

static bool is_of_account(const struct gate_case *c, const struct authorization *a)
{
	return is_missing(a) || (same(a->account, c->account_id) && same(a->directory, c->order.directory));
}

bool gate_authorizations_valid(const struct gate_case *c, struct problem *p)
{
	return authorizations_each(c, is_valid, "is not valid", p);
}

bool gate_authorizations_unexpired(const struct gate_case *c, struct problem *p)
{
	return authorizations_each(c, is_unexpired, "has expired", p);
}

bool gate_authorizations_owner(const struct gate_case *c, struct problem *p)
{
	return authorizations_each(c, is_of_account, "is another account's", p);
}

/* The very name, and a wildcard for a wildcard: "*.example.com" is not proven by "example.com". Or, where the
 * profile says so, a domain above it whose authorization says so too (RFC 9444). */
static bool covers(const struct gate_case *c, const struct authorization *a, const struct identifier *name)
{
	if (subdomain_covers(c->profile, a, name))
		return true;
	return !is_missing(a) && same(a->type, identifier_type_name(name->type)) &&
	       same(a->value, identifier_base(name)) && a->wildcard == identifier_is_wildcard(name);
}

static bool is_of_method(const struct gate_case *c, const struct authorization *a)
{
	const struct challenge *proof = authorization_proof(a);

	return !proof || profile_takes_challenge(c->profile, proof->type);
}

/* An authorization that another profile was content with can be in an order for this one. */
bool gate_authorizations_method(const struct gate_case *c, struct problem *p)
{
	return authorizations_each(c, is_of_method, "rests on a challenge that the profile does not take", p);
}

bool gate_authorizations_cover(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	if (c->identifier_count != c->authorization_count)
		held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		                   "RFC 8555, 7.1.3: not one authorization for each identifier of the order");
	for (size_t i = 0; i < c->identifier_count && i < c->authorization_count; i++) {
		const struct identifier *name = &c->identifiers[i];
		if (!covers(c, &c->authorizations[i], name))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type),
			                   name->value,
			                   "RFC 8555, 7.4: no authorization of the order is for %s", name->value);
	}
	return held;
}

/* A wish for a length becomes one for its end, so that the one rule judges both. */
static bool wish_period(const struct gate_case *c, int64_t *ret_from, int64_t *ret_to, struct problem *p)
{
	const struct gate_wish none = {0}, *wish = c->wish ?: &none;
	int64_t not_after = wish->not_after;

	if (wish->validity != 0 && (wish->not_before != 0 || wish->not_after != 0))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "a validity is asked for, and its begin or end as well: one or the other");
	if (wish->validity > c->profile->validity_max) {
		char asked[CLOCK_DURATION_SIZE], most[CLOCK_DURATION_SIZE];
		clock_format_duration(wish->validity, asked);
		clock_format_duration(c->profile->validity_max, most);
		return problem_set(p, PROBLEM_MALFORMED,
		                   "a validity of %s is longer than profile %s allows: %s at most", asked,
		                   c->profile->name, most);
	}
	if (wish->validity != 0)
		not_after = c->now - c->profile->backdate + wish->validity - 1;
	return profile_period(c->profile, c->now, c->now, wish->not_before, not_after, ret_from, ret_to, p);
}

/* The profile must take such orders still. */
static bool star_period(const struct gate_case *c, int64_t *ret_from, int64_t *ret_to, struct problem *p)
{
	const struct order_star *star = &c->order.star;
	struct star_dates dates;

	if (!star_check(c->profile, star, c->order.created, p))
		return false;
	if (c->order.status != ORDER_VALID || !star_next(star, c->now, &dates))
		star_first(c->profile, star, c->now, &dates);
	if (dates.not_after <= c->now)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.1: the order's end-date is past");
	*ret_from = dates.not_before;
	*ret_to = dates.not_after;
	return true;
}

bool gate_case_period(const struct gate_case *c, int64_t *ret_from, int64_t *ret_to, struct problem *p)
{
	if (c->identity)
		return wish_period(c, ret_from, ret_to, p);
	if (star_is(&c->order))
		return star_period(c, ret_from, ret_to, p);
	return profile_period(c->profile, c->now, c->order.created, c->order.not_before, c->order.not_after, ret_from,
	                      ret_to, p);
}

/* RFC 9608, 6.1: too short a life to tell of its end; and what renews itself cannot be revoked (RFC 8739, 3.1.2). */
bool gate_case_is_unrevocable(const struct gate_case *c, int64_t from, int64_t to)
{
	return !c->request.ca &&
	       (to - from + 1 <= c->profile->no_revocation_within || (!c->identity && star_is(&c->order)));
}

/* RFC 5280, 6.1 asks nothing of the kind, yet who asks for a date is to have it until then. */
static bool period_signed(const struct gate_case *c, int64_t to, struct problem *p)
{
	const struct gate_wish *wish = c->wish;
	char text[CLOCK_RFC3339_SIZE];

	if (!wish || wish->latest == 0 || to <= wish->latest || (wish->validity == 0 && wish->not_after == 0))
		return true;
	clock_format(wish->latest, text);
	return problem_set(p, PROBLEM_MALFORMED, "the certificate of the issuing CA ends before that, at %s", text);
}

static const char *period_field(const struct gate_case *c)
{
	const struct gate_wish *wish = c->wish;

	if (!wish)
		return NULL;
	if (wish->validity != 0)
		return wish->validity_field;
	return profile_begins_early(c->profile, c->now, wish->not_before) ? wish->not_before_field
	                                                                  : wish->not_after_field;
}

bool gate_period(const struct gate_case *c, struct problem *p)
{
	const char *field = period_field(c);
	auto_value(problem) why = {0};
	int64_t from, to;

	if (gate_case_period(c, &from, &to, &why) && period_signed(c, to, &why))
		return true;
	return field ? problem_add_field(p, why.kind, field, NULL, "%s", why.detail) : gate_case_part(p, &why, NULL);
}
