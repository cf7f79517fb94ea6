#include "est/waiting.h"

#include "est/text.h"
#include "policy/consent.h"
#include "store/audit.h"

enum {
	PENDING_MAX = 10000,  /* of all methods together */
	STRANGERS_MAX = PENDING_MAX / 2, /* who has proven nothing leaves room for who has */
	LOST_REPLY = 3600,    /* seconds in which one certificate is the answer to the same request */
};

static void waiter_of(const struct waiting *w, uint8_t ret[SHA256_SIZE])
{
	consent_waiter(w->call->label->name, identity_text(w->identity), w->sent->key_hash, ret);
}

static bool asks_same(const struct waiting *w, const struct request *request)
{
	return bytes_equal(request->asked, BYTES(w->sent->asked, sizeof(w->sent->asked)));
}

static bool is_over(const struct waiting *w, const struct request *request)
{
	return request->expires != 0 && request->expires <= w->call->now;
}

static bool refuse_rejected(const struct waiting *w, const struct request *request, struct problem *p)
{
	if (request->state != REQUEST_REJECTED || !asks_same(w, request) || is_over(w, request))
		return true;
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 4.2.3: request %s was rejected: %s", request->id,
	                   request->reasons.n > 0 ? request->reasons.v[0] : "no reason was given");
}

/* Empty where there is none. */
static bool find(struct store_txn *txn, const struct waiting *w, struct request *ret, struct problem *p)
{
	uint8_t waiter[SHA256_SIZE];

	waiter_of(w, waiter);
	return store_request_by_waiter(txn, BYTES(waiter, sizeof(waiter)), ret, p) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct waiting *w = arg;

	return find(txn, w, &w->request, p);
}

bool waiting_find(struct waiting *w, struct problem *p)
{
	return store_view(w->call->est->store, look, w, p) && refuse_rejected(w, &w->request, p);
}

bool waiting_is_pending(const struct waiting *w)
{
	const struct request *request = &w->request;

	return request->id[0] != '\0' && request->state == REQUEST_PENDING && asks_same(w, request) &&
	       !is_over(w, request);
}

const char *waiting_request(const struct waiting *w)
{
	const struct request *request = &w->request;

	return request->id[0] != '\0' && request->state == REQUEST_APPROVED && asks_same(w, request)
	       ? request->id : NULL;
}

/* --- what was issued already */

struct again {
	const struct request *request;
	struct certificate *ret;
};

static bool read_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct again *again = arg;

	return store_certificate_get(txn, again->request->certificate, again->ret, p);
}

bool waiting_issued(const struct waiting *w, struct certificate *ret, struct problem *p)
{
	const struct request *request = &w->request;
	auto_value(certificate) issued = {0};

	if (request->state != REQUEST_ISSUED || w->made || !asks_same(w, request) ||
	    request->ended + LOST_REPLY < w->call->now)
		return false;
	if (!store_view(w->call->est->store, read_issued, &(struct again){ request, &issued }, p) ||
	    issued.status != CERTIFICATE_VALID)
		return false;
	*ret = issued;
	issued = (struct certificate){0};
	return true;
}

/* --- asking */

/* What people decide about, in words. */
static void names_of(const struct csr *csr, struct buf *ret)
{
	for (size_t i = 0; i < csr->subject_count; i++)
		buf_printf(ret, "%s%s=%s", ret->len > 0 ? ", " : "", csr->subject[i].short_name, csr->subject[i].value);
	for (size_t i = 0; i < csr->names.n; i++)
		buf_printf(ret, "%s%s:%s", ret->len > 0 ? ", " : "", identifier_type_name(csr->names.v[i].type),
		           csr->names.v[i].value);
	for (size_t i = 0; i < csr->other_count; i++)
		buf_printf(ret, "%s%s:%s", ret->len > 0 ? ", " : "", csr->others[i].kind, csr->others[i].value);
}

static bool tell(struct store_txn *txn, const struct waiting *w, const struct request *request, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("request", request->id), audit_text("label", request->label),
		audit_text("profile", request->profile),
		audit_text("names", request->names), {0},
	};

	return store_audit_add(txn, &(struct audit_event){ .kind = AUDIT_REQUEST_MADE, .time = w->call->now,
	                                                   .actor = request->identity, .from = request->from,
	                                                   .facts = facts }, p);
}

static bool put_new(struct store_txn *txn, struct waiting *w, struct problem *p)
{
	const struct est_call *call = w->call;
	const struct csr *shown = w->sent->change ?: w->sent;
	auto_value(buf) names = {0};
	char from[ADDR_TEXT_SIZE];
	uint8_t waiter[SHA256_SIZE], digest[SHA256_SIZE];
	size_t pending, max = identity_unproven(w->identity) ? STRANGERS_MAX : PENDING_MAX;

	if (!store_request_pending(txn, PENDING_MAX, &pending, p))
		return false;
	if (pending >= max)
		return problem_limited(p, (int)call->label->retry_after,
		                       "%zu requests wait for approval already; ask again later", pending);
	names_of(shown, &names);
	waiter_of(w, waiter);
	digest_sha256(w->csr, digest);
	addr_format(&call->from, from);
	struct request request = {
		.profile = call->profile->name, .method = "est", .identity = identity_text(w->identity), .from = from,
		.names = buf_text(&names), .csr = w->csr, .csr_digest = BYTES(digest, sizeof(digest)),
		.managed = w->made,
		.label = call->label->name, .waiter = BYTES(waiter, sizeof(waiter)), .needed = call->profile->approvals,
		.asked = BYTES(w->sent->asked, sizeof(w->sent->asked)), .created = call->now,
		.expires = call->now + call->profile->approval_lifetime,
	};
	return buf_check(&names, p) && random_id(request.id, p) && store_request_put(txn, &request, p) &&
	       tell(txn, w, &request, p);
}

/* The place of an old one is taken by a new one. */
static bool step_aside(struct store_txn *txn, const struct waiting *w, struct request *old, struct problem *p)
{
	static const char *late[] = { "it was not approved in time" },
	        *other[] = { "who asked has asked for something else" };
	bool over = is_over(w, old);

	if (old->id[0] == '\0')
		return true;
	if (old->state == REQUEST_PENDING || old->state == REQUEST_APPROVED) {
		old->state = over ? REQUEST_EXPIRED : REQUEST_CANCELLED;
		old->ended = w->call->now;
		old->reasons = (struct record_texts){ over ? late : other, 1 };
	}
	old->waiter = BYTES(NULL, 0);
	return store_request_put(txn, old, p);
}

static bool ask(struct store_txn *txn, void *arg, struct problem *p)
{
	struct waiting *w = arg;
	auto_value(request) old = {0};

	if (!find(txn, w, &old, p) || !refuse_rejected(w, &old, p))
		return false;
	bool goes_on = old.id[0] != '\0' && asks_same(w, &old) && !is_over(w, &old);
	if (goes_on && old.state == REQUEST_PENDING)
		return true;
	/* since it was read: the next one is served */
	if (goes_on && old.state == REQUEST_APPROVED && !waiting_request(w))
		return true;
	if (goes_on && old.state == REQUEST_APPROVED) { /* the profile has come to want more people */
		old.state = REQUEST_PENDING;
		old.needed = w->call->profile->approvals;
		return store_request_put(txn, &old, p);
	}
	return step_aside(txn, w, &old, p) && put_new(txn, w, p);
}

/* libest and strongSwan read integers alone, and no dates. Bouncy Castle fails on a body that it leaves unread. */
bool waiting_reply(const struct waiting *w, struct problem *p)
{
	struct http_response *response = w->call->response;
	unsigned seconds = w->call->label->retry_after;

	response->status = 202;
	http_response_header_printf(response, "Retry-After", "%u", seconds);
	if (text_is_bare(w->call->request))
		return true;
	response->content_type = "text/plain";
	buf_printf(&response->body, "the request waits for approval; ask again in %u seconds\n", seconds);
	return buf_check(&response->body, p);
}

bool waiting_ask(struct waiting *w, struct problem *p)
{
	bool again = w->request.id[0] != '\0' && asks_same(w, &w->request);

	if (!again && identity_unproven(w->identity) && !guard_keeps(w->call->est->guard, &w->call->from, p))
		return false;
	return store_update(w->call->est->store, ask, w, p) && waiting_reply(w, p);
}

bool waiting_settle(struct store_txn *txn, const struct waiting *w, const char *certificate, struct problem *p)
{
	const char *id = waiting_request(w);
	auto_value(request) request = {0};

	if (!id)
		return true;
	if (!store_request_get(txn, id, &request, p))
		return false;
	if (request.state == REQUEST_ISSUED && w->made)
		return problem_set(p, PROBLEM_CONFLICT, "the key of request %s went to another try of this client, and is "
		                   "not kept; ask again for a new one", id);
	if (request.state != REQUEST_APPROVED)
		return problem_set(p, PROBLEM_CONFLICT, "request %s is %s already", id,
		                   request_state_name(request.state));
	request.state = REQUEST_ISSUED;
	request.ended = w->call->now;
	request.expires = 0;
	strcpy(request.certificate, certificate);
	return store_request_put(txn, &request, p);
}
