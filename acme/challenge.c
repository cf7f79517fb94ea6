#include "acme/challenge.h"

#include "acme/actions.h"
#include "acme/device_attest01.h"
#include "acme/dns01.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/probe.h"
#include "acme/tls_alpn01.h"
#include "base/clock.h"

#define DNS (1u << IDENTIFIER_DNS)
#define IP (1u << IDENTIFIER_IP)
#define DEVICE (1u << IDENTIFIER_PERMANENT | 1u << IDENTIFIER_HARDWARE)

static bool prove_http(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	return http01_prove(tools->http01, task, p);
}

static bool prove_tls(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	return tls_alpn01_prove(tools->tls_alpn01, task, p);
}

static int64_t deadline(const struct challenge_tools *tools)
{
	return clock_monotonic_ms() + tools->timeout_ms;
}

static bool prove_dns(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	return dns01_prove(tools->dns, task, deadline(tools), p);
}

static bool prove_dns_account(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	return dns_account01_prove(tools->dns, task, deadline(tools), p);
}

static bool prove_dns_persist(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	return dns_persist01_prove(tools->dns, &tools->persist, task, deadline(tools), p);
}

/* The order in which they are shown. dns-01 comes after those whose names begin like its: Crypt::LE cuts a type at
 * its first hyphen, and takes the last of those that are then the same. */
static const struct challenge_type types[] = {
	{ "http-01", ACME_HTTP_01, .identifiers = DNS | IP, .prove = prove_http },     /* 8.3; RFC 8738, 5 */
	{ "dns-account-01", ACME_DNS_ACCOUNT_01, .identifiers = DNS, .wildcard = true, .prove = prove_dns_account },
	{ "dns-persist-01", ACME_DNS_PERSIST_01, .identifiers = DNS, .wildcard = true, .lasting = true,
	  .prove = prove_dns_persist },
	{ "dns-01", ACME_DNS_01, .identifiers = DNS, .wildcard = true, .prove = prove_dns }, /* 8.4 */
	/* RFC 8737; RFC 8738, 6 */
	{ "tls-alpn-01", ACME_TLS_ALPN_01, .identifiers = DNS | IP, .alone = true, .prove = prove_tls },
	{ "device-attest-01", ACME_DEVICE_ATTEST_01, .identifiers = DEVICE, .alone = true, .answered = true },
};
_Static_assert(array_length(types) <= CHALLENGE_TYPES_MAX, "an authorization has room for all");

const struct challenge_type *challenge_type_at(size_t i)
{
	return i < array_length(types) ? &types[i] : NULL;
}

const struct challenge_type *challenge_type_find(const char *name)
{
	for (size_t i = 0; i < array_length(types); i++)
		if (str_equal(types[i].name, name))
			return &types[i];
	return NULL;
}

bool challenge_type_fits(const struct challenge_type *type, unsigned enabled, enum identifier_type identifier,
                         bool wildcard)
{
	return (type->bit & enabled) && (type->identifiers & 1u << identifier) && (type->wildcard || !wildcard);
}

struct challenge *challenge_of(const struct authorization *authorization, const char *url_key)
{
	struct challenge *v = authorization->challenges.v;

	for (size_t i = 0; i < authorization->challenges.n; i++)
		if (str_equal(v[i].url_key, url_key))
			return &v[i];
	return NULL;
}

/* The members in each draft that is spoken; with draft 00's the account's URL, which Boulder, Pebble and lego
 * have there. */
static void put_persist(const struct acme_call *call, struct json_writer *w, const char *account)
{
	auto_value(buf) url = {0};

	if (call->acme->options.persist_forms & ACME_PERSIST_02)
		issuer_names_write(call->acme, w, "issuerDomainNames");
	if (!(call->acme->options.persist_forms & ACME_PERSIST_00))
		return;
	issuer_names_write(call->acme, w, "issuer-domain-names");
	acme_url(call, &url, "account", account, NULL);
	json_put_buf(w, "accounturi", &url);
}

void issuer_names_write(const struct acme *acme, struct json_writer *w, const char *member)
{
	const struct strings *names = acme->options.caa_identities;

	json_open_array(w, member);
	for (size_t i = 0; names && i < names->n; i++) {
		struct identifier name;
		auto_value(problem) ignored = {0};

		/* in lower case, as the draft wants it (3.1) */
		if (identifier_parse("dns", names->v[i], &name, &ignored))
			json_put(w, NULL, name.value);
	}
	json_close(w);
}

void challenge_write(const struct acme_call *call, struct json_writer *w,
                     const struct authorization *authorization, const struct challenge *challenge)
{
	const struct challenge_type *type = challenge_type_find(challenge->type);
	auto_value(buf) url = {0};

	acme_url(call, &url, "challenge", authorization->id, challenge->url_key);
	json_open(w, NULL);
	json_put(w, "type", challenge->type);
	json_put_buf(w, "url", &url);
	json_put(w, "status", challenge_status_name(challenge->status));
	if (type && type->lasting)
		put_persist(call, w, authorization->account);
	else
		json_put(w, "token", challenge->token);
	json_put_time(w, "validated", challenge->validated);
	if (challenge->error) /* while it is processing too, as 8.2 demands against the letter of 8 */
		json_put_raw(w, "error", BYTES_STR(challenge->error));
	json_close(w);
}

struct challenge_call {
	const struct acme_call *call;
	struct authorization authorization; /* the caller's to free */
	enum authorization_status status;
	struct challenge *challenge;
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct challenge_call *c = arg;

	return store_authorization_get(txn, c->call->capture[0], &c->authorization, p);
}

static bool reload(struct challenge_call *c, struct problem *p)
{
	authorization_free(&c->authorization);
	c->authorization = (struct authorization){0};
	if (!store_view(c->call->acme->store, load, c, p))
		return false;
	if (!acme_owned(c->call, c->authorization.account, c->authorization.directory, "challenge", p))
		return false;
	c->status = authorization_status_at(&c->authorization, c->call->now);
	c->challenge = challenge_of(&c->authorization, c->call->capture[1]);
	return c->challenge || problem_set(p, PROBLEM_NOT_FOUND, "there is no such challenge");
}

static bool is_open(const struct challenge *challenge)
{
	return challenge->status == CHALLENGE_PENDING || challenge->status == CHALLENGE_PROCESSING;
}

/* In an update. A probe that ended meanwhile has stored more than this would. */
static bool mark_processing(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct challenge_call *c = arg;
	auto_value(authorization) authorization = {0};
	struct challenge *challenge;

	if (!store_authorization_get(txn, c->authorization.id, &authorization, p))
		return false;
	challenge = challenge_of(&authorization, c->challenge->url_key);
	if (authorization.status != AUTHORIZATION_PENDING || !challenge ||
	    challenge->status != CHALLENGE_PENDING)
		return true;
	return challenge_step(&challenge->status, CHALLENGE_RESPONSE) &&
	       store_authorization_put(txn, &authorization, p);
}

/* Probes, and waits a moment, so that the common case is settled in this reply and costs one
 * commit: "processing" is stored only when the moment was not enough. Nothing is promised before
 * that: until the reply, the client knows of no change, and if the process dies meanwhile the
 * challenge is pending as before and the client's next response begins anew (8.2 lets it). What a
 * reply has shown as processing is stored, and is probed again after a restart. */
static bool respond(struct challenge_call *c, struct problem *p)
{
	const struct acme_call *call = c->call;
	const struct challenge_type *type = challenge_type_find(c->challenge->type);

	if (type && type->answered)
		return device_attest01_respond(call, c->authorization.id, c->challenge->url_key, p) && reload(c, p);
	const struct probe_request request = {
		.authorization = c->authorization.id, .challenge = c->challenge->url_key,
		.account = c->authorization.account, .target = c->authorization.value,
	};
	bool stored;

	if (!probes_begin(call->acme->probes, &request, call->acme->options.challenge_wait_ms, &stored, p))
		return false;
	if (!stored && !store_update(call->acme->store, mark_processing, c, p))
		return false;
	return reload(c, p);
}

static void reply(struct acme_call *call, const struct challenge_call *c)
{
	struct json_writer w = acme_reply(call, 200);

	acme_link(call, "up", "authz", c->authorization.id, NULL);
	if (c->challenge->status == CHALLENGE_PROCESSING)
		http_response_header_printf(call->response, "Retry-After", "%d",
		                            probes_retry_after(call->acme->probes, c->authorization.id,
		                                               c->challenge->url_key));
	challenge_write(call, &w, &c->authorization, c->challenge);
}

/* POST-as-GET only reads, for clients that poll here. What is settled is answered as it is, however
 * often it is asked for; fields of the response object are ignored (7.5.1). */
bool acme_challenge_post(struct acme_call *call, struct problem *p)
{
	struct challenge_call c = { .call = call };
	bool done = reload(&c, p);

	if (done && call->payload && is_open(c.challenge)) {
		if (c.status == AUTHORIZATION_PENDING)
			done = respond(&c, p);
		else if (c.status != AUTHORIZATION_VALID)
			done = problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.5.1: the authorization is %s",
			                   authorization_status_name(c.status));
	}
	if (done)
		reply(call, &c);
	authorization_free(&c.authorization);
	return done;
}
