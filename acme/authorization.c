#include "acme/authorization.h"

#include <stdio.h>

#include "acme/actions.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/probe.h"
#include "policy/scope.h"
#include "policy/subdomain.h"

enum {
	FIND_MAX = 20,        /* how many of the newest are looked at */
	LEFT_MIN = 600,       /* seconds: less is of no use to an order */
};

static void add_challenge(struct authorization_draft *d, const struct challenge_type *type)
{
	size_t i = d->record.challenges.n++;

	d->challenges[i] = (struct challenge){
		.type = type->name, .token = d->tokens[i], .url_key = type->name,
	};
}

static void add_account_url(const struct acme_call *call, struct authorization_draft *d)
{
	auto_value(buf) url = {0};

	acme_url(call, &url, "account", call->account.id, NULL);
	if (url.len >= sizeof(d->account_url))
		return;
	memcpy(d->account_url, buf_text(&url), url.len + 1);
	d->record.account_url = d->account_url;
}

static bool add_challenges(const struct acme_call *call, const struct profile *profile, bool for_wildcard,
                           struct authorization_draft *d, struct problem *p)
{
	bool in_zone = d->record.subdomains && profile->subdomains == PROFILE_SUBDOMAINS_DNS;
	const struct challenge_type *type;

	for (size_t i = 0; (type = challenge_type_at(i)); i++) {
		if (!challenge_type_fits(type, call->acme->options.challenges, d->identifier.type, for_wildcard) ||
		    !profile_takes_challenge(profile, type->name) || (in_zone && !type->wildcard))
			continue;
		if (!random_id(d->tokens[d->record.challenges.n], p))
			return false;
		add_challenge(d, type);
	}
	return true;
}

/* It lasts as long as an order that is made with it. */
static void grant(const struct acme_call *call, struct authorization *a)
{
	a->granted = true;
	a->status = AUTHORIZATION_VALID;
	a->expires = call->now + call->acme->options.order_lifetime;
}

bool authorization_draft(const struct acme_call *call, const struct profile *profile,
                         const struct authorization_wish *wish,
                         struct authorization_draft *ret, struct problem *p)
{
	bool wildcard = identifier_is_wildcard(wish->identifier);
	struct authorization *a = &ret->record;

	*ret = (struct authorization_draft){ .identifier = *wish->identifier };
	*a = (struct authorization){
		.directory = call->directory, .status = AUTHORIZATION_PENDING, .preauthorized = wish->preauthorized,
		.type = identifier_type_name(wish->identifier->type), .value = identifier_base(&ret->identifier),
		.wildcard = wildcard, .subdomains = wish->subdomains, .require_dnssec = profile->require_dnssec,
		.created = call->now,
		.expires = call->now + call->acme->options.authorization_pending_lifetime,
		.challenges = { .v = ret->challenges },
	};
	memcpy(a->account, call->account.id, sizeof(a->account));
	add_account_url(call, ret);
	if (!wish->subdomains && scope_authorizes(&call->account.scope, wish->identifier))
		grant(call, a);
	else if (!add_challenges(call, profile, wildcard, ret, p))
		return false;
	return random_id_timed(a->id, p);
}

/* What devices are called is vouched for by statements alone, where they are taken at all. */
static bool is_offered(const struct acme_call *call, enum identifier_type type)
{
	unsigned enabled = call->acme->options.challenges;

	for (size_t i = 0; challenge_type_at(i); i++)
		if (challenge_type_fits(challenge_type_at(i), enabled, type, false))
			return true;
	return !identifier_is_device(type) && scope_authorizes_type(&call->account.scope, type);
}

bool authorization_name(const struct acme_call *call, const char *type, const char *value, struct identifier *ret,
                        struct problem *p)
{
	enum identifier_type known;

	if (identifier_type_from(type, &known) && !is_offered(call, known))
		return problem_set(p, PROBLEM_UNSUPPORTED_IDENTIFIER,
		                   "identifiers of type \"%s\" are not offered", type);
	if (!identifier_parse(type, value, ret, p))
		return false;
	return ret->type != IDENTIFIER_IP || str_equal(value, ret->value) ||
	       problem_set(p, PROBLEM_MALFORMED, "RFC 8738, 3: \"%s\" is written \"%s\" (RFC 5952, 4)", value,
	                   ret->value);
}

/* A key that was attested is for the certificate of one order, or of those for which it was attested beforehand: who
 * orders anew has a new one as a rule, and must be able to attest it. */
static bool is_attested(const struct authorization *a)
{
	return a->attested_key.len > 0;
}

/* Its own end may be later than its time for reuse: it outlasts the orders it was made for. */
static bool is_reusable(const struct authorization *a, const struct profile *profile, int64_t now)
{
	int64_t lifetime = profile->authorization_lifetime;
	int64_t left_min = lifetime / 2 < LEFT_MIN ? lifetime / 2 : LEFT_MIN;
	const struct challenge *proof = authorization_proof(a);

	return lifetime > 0 && proof && (!is_attested(a) || a->preauthorized) &&
	       profile_takes_challenge(profile, proof->type) &&
	       (a->require_dnssec || !profile->require_dnssec) &&
	       authorization_status_at(a, now) == AUTHORIZATION_VALID &&
	       a->expires - now >= left_min && proof->validated + lifetime - now >= left_min;
}

/* below: NULL, or the name below the identifier that it must stand for. */
static bool find(struct store_txn *txn, const char *account, const struct profile *profile,
                 const struct identifier *identifier,
                 const struct identifier *below, int64_t now, struct authorization_found *ret, struct problem *p)
{
	auto_value(strings) ids = {0};

	ret->id[0] = '\0';
	if (!store_authorization_find(txn, account, identifier_type_name(identifier->type),
	                              identifier_base(identifier), identifier_is_wildcard(identifier),
	                              FIND_MAX, &ids, p))
		return false;
	for (size_t i = 0; i < ids.n && !ret->id[0]; i++) {
		auto_value(authorization) a = {0};

		if (!store_authorization_get(txn, ids.v[i], &a, p))
			return false;
		if (!is_reusable(&a, profile, now) || (below && !subdomain_covers(profile, &a, below)))
			continue;
		memcpy(ret->id, a.id, sizeof(ret->id));
		ret->expires = a.expires;
	}
	return true;
}

bool authorization_find(struct store_txn *txn, const char *account, const struct profile *profile,
                        const struct identifier *identifier, int64_t now, struct authorization_found *ret,
                        struct problem *p)
{
	return find(txn, account, profile, identifier, NULL, now, ret, p);
}

bool authorization_find_above(struct store_txn *txn, const char *account, const struct profile *profile,
                              const struct identifier *identifier, int64_t now, struct authorization_found *ret,
                              struct problem *p)
{
	struct identifier ancestor = { .type = IDENTIFIER_DNS };

	ret->id[0] = '\0';
	if (profile->subdomains == PROFILE_SUBDOMAINS_NONE || identifier->type != IDENTIFIER_DNS ||
	    identifier_is_wildcard(identifier))
		return true;
	for (const char *above = subdomain_above(identifier->value); above && !ret->id[0];
	     above = subdomain_above(above)) {
		snprintf(ancestor.value, sizeof(ancestor.value), "%s", above);
		if (!find(txn, account, profile, &ancestor, identifier, now, ret, p))
			return false;
	}
	return true;
}

bool authorization_room(struct store_txn *txn, const struct acme_call *call, size_t more, struct problem *p)
{
	size_t max = call->acme->options.pending_authorizations_max, n;

	if (max == 0 || more == 0)
		return true;
	if (!store_authorization_count_pending(txn, call->account.id, max, &n, p))
		return false;
	if (n + more <= max)
		return true;
	return problem_limited(p, 60,
	                       "RFC 8555, 6.6: the account has %zu pending authorizations, %zu are allowed", n, max);
}

/* --- as JSON */

/* Valid ones show what was proven, invalid ones what was tried (7.1.4). */
static bool is_shown(enum authorization_status status, const struct challenge *c)
{
	switch (status) {
	case AUTHORIZATION_VALID:
		return c->status == CHALLENGE_VALID;
	case AUTHORIZATION_INVALID:
		return c->status == CHALLENGE_INVALID;
	default:
		return true;
	}
}

static void authorization_write(const struct acme_call *call, struct json_writer *w,
                                const struct authorization *a, enum authorization_status status)
{
	const struct challenge *v = a->challenges.v;

	json_open(w, NULL);
	json_put(w, "status", authorization_status_name(status));
	if (status == AUTHORIZATION_PENDING || status == AUTHORIZATION_VALID)
		json_put_time(w, "expires", a->expires);
	json_open(w, "identifier");
	json_put(w, "type", a->type);
	json_put(w, "value", a->value);
	json_close(w);
	json_open_array(w, "challenges");
	for (size_t i = 0; i < a->challenges.n; i++)
		if (is_shown(status, &v[i]))
			challenge_write(call, w, a, &v[i]);
	json_close(w);
	if (a->wildcard)
		json_put_bool(w, "wildcard", true);
	if (a->subdomains)
		json_put_bool(w, "subdomainAuthAllowed", true); /* RFC 9444, 4.1 */
	json_close(w);
}

static void retry_after(struct acme_call *call, const struct authorization *a)
{
	const struct challenge *v = a->challenges.v;

	for (size_t i = 0; i < a->challenges.n; i++) {
		if (v[i].status != CHALLENGE_PROCESSING)
			continue;
		http_response_header_printf(call->response, "Retry-After", "%d",
		                            probes_retry_after(call->acme->probes, a->id, v[i].url_key));
		return;
	}
}

void authorization_reply(struct acme_call *call, int http_status, const struct authorization *a)
{
	enum authorization_status status = authorization_status_at(a, call->now);
	struct json_writer w = acme_reply(call, http_status);

	if (status == AUTHORIZATION_PENDING)
		retry_after(call, a);
	authorization_write(call, &w, a, status);
}

/* --- reading and deactivating */

struct authorization_call {
	const struct acme_call *call;
	struct authorization record; /* the caller's to free */
	struct state_change change;
};

/* In a view or an update; a further run begins anew. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct authorization_call *c = arg;

	authorization_free(&c->record);
	c->record = (struct authorization){0};
	return store_authorization_get(txn, c->call->capture[0], &c->record, p) &&
	       acme_owned(c->call, c->record.account, c->record.directory, "authorization", p);
}

/* What is over already stays as it is, and the reply says how: deactivating twice is no error. */
static bool deactivate(struct store_txn *txn, void *arg, struct problem *p)
{
	struct authorization_call *c = arg;

	return load(txn, arg, p) &&
	       authorization_apply(txn, &c->record, AUTHORIZATION_DEACTIVATE, &c->change, p);
}

static bool wants_deactivation(const struct json *payload, struct problem *p)
{
	const char *status = json_member_string(payload, "status");

	return (status && str_equal(status, "deactivated")) ||
	       problem_set(p, PROBLEM_MALFORMED,
	                   "RFC 8555, 7.5.2: the only update is {\"status\": \"deactivated\"}");
}

static bool do_deactivate(struct authorization_call *c, struct problem *p)
{
	const struct acme_call *call = c->call;
	auto_value(problem) why = {0};
	auto_value(buf) error = {0};

	problem_set(&why, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.5.2: an authorization was deactivated");
	acme_problem_write(&why, NULL, &error);
	c->change = (struct state_change){
		.now = call->now, .keep_until = call->now + call->acme->options.retention,
		.error = buf_text(&error),
	};
	bool done = store_view(call->acme->store, load, c, p) && wants_deactivation(call->payload, p) &&
	            buf_check(&error, p) && store_update(call->acme->store, deactivate, c, p);
	c->change.error = NULL;
	return done;
}

bool acme_authorization_post(struct acme_call *call, struct problem *p)
{
	struct authorization_call c = { .call = call };
	bool done = call->payload ? do_deactivate(&c, p) : store_view(call->acme->store, load, &c, p);

	if (done)
		authorization_reply(call, 200, &c.record);
	authorization_free(&c.record);
	return done;
}
