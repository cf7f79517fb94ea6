#include "est/enroll.h"

#include "ca/inventory.h"
#include "est/binding.h"
#include "est/body.h"
#include "est/certs_only.h"
#include "est/requester.h"
#include "policy/client_certificate.h"
#include "policy/gate.h"
#include "store/audit_queue.h"

void enrolling_done(struct enrolling *e)
{
	identity_free(e->identity);
	buf_free(&e->body);
	csr_free(e->sent);
	request_free(&e->waiting.request);
	certificate_free(&e->certificate);
}

bool enroll_begin(struct enrolling *e, bool renewal, struct problem *p)
{
	struct est_call *call = e->call;

	return requester_identify(call, renewal, &e->identity, p) && body_read(call->request->body, &e->body, p) &&
	       csr_peek(buf_bytes(&e->body), &e->sent, p) && binding_check(call, e->identity, e->sent, p);
}

static bool record(struct store_txn *txn, void *arg, struct problem *p)
{
	struct enrolling *e = arg;
	char from[ADDR_TEXT_SIZE];

	addr_format(&e->call->from, from);
	return identity_spend(txn, e->identity, e->call->now, p) &&
	       waiting_settle(txn, &e->waiting, e->certificate.id, p) &&
	       inventory_add_telling(txn, &e->certificate, identity_text(e->identity), from, e->more, p);
}

/* What policy refused to somebody who is known. Our own failures are none of it. */
static bool refuse(const struct enrolling *e, const struct problem *p)
{
	const struct est_call *call = e->call;
	char from[ADDR_TEXT_SIZE];

	if (problem_status(p) >= 500)
		return false;
	addr_format(&call->from, from);
	const struct audit_fact facts[] = {
		audit_text("profile", call->profile->name), audit_text("label", call->label->name), {0},
	};
	const struct audit_event event = {
		AUDIT_CERTIFICATE_REFUSED, call->now, identity_text(e->identity), from, facts,
	};
	audit_queue_refuse(call->est->audit, &event, p);
	return false;
}

static bool judge(struct enrolling *e, struct approval **ret, struct problem *p)
{
	struct est_call *call = e->call;
	const struct gate_wish wish = { .request = waiting_request(&e->waiting) };

	return gate_identity_wish(call->est->store, call->profiles, call->profile->name, e->identity, &wish,
	                          e->waiting.csr, ret, p);
}

static bool sign(struct enrolling *e, struct approval **approval, struct problem *p)
{
	struct est_call *call = e->call;

	if (!ca_issue(call->est->ca, approval, &e->certificate, p))
		return false;
	const struct client_certificate *old = identity_certificate(e->identity, NULL);
	e->certificate.replaces = old ? old->id : NULL;
	e->certificate.label = call->label->name;
	return store_update(call->est->store, record, e, p);
}

bool enroll_foresee(struct enrolling *e, enum key_algorithm key, bool *ret_waits, struct problem *p)
{
	struct est_call *call = e->call;
	struct waiting waiting = { .call = call, .identity = e->identity, .sent = e->sent, .made = true };
	bool good = (call->profile->approvals == 0 || waiting_find(&waiting, p)) &&
	            gate_identity_unmade(call->est->store, call->profiles, call->profile->name, e->identity,
	                                 buf_bytes(&e->body), key, p);

	*ret_waits = good && call->profile->approvals > 0 && waiting_is_pending(&waiting);
	bool told = !*ret_waits || waiting_reply(&waiting, p);
	request_free(&waiting.request);
	return good ? told : refuse(e, p);
}

bool enroll_unspent(const struct enrolling *e, struct problem *p)
{
	return !e->call->spent ||
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "the %s is used up", identity_text(e->identity));
}

/* Of several tries of one client, under way at once, one carries out what was approved, and all get what it got. */
static bool issued_meanwhile(struct enrolling *e, struct problem *p)
{
	struct waiting again = e->waiting;
	auto_value(certificate) issued = {0};
	auto_value(problem) ignored = {0};

	if (!waiting_request(&e->waiting) || problem_is_ours(p))
		return false;
	again.request = (struct request){0};
	bool found = waiting_find(&again, &ignored) && waiting_issued(&again, &issued, &ignored);
	request_free(&again.request);
	if (!found)
		return false;
	certificate_free(&e->certificate);
	e->certificate = issued;
	issued = (struct certificate){0};
	return problem_forgive(p, p->kind);
}

bool enroll_issue(struct enrolling *e, struct bytes csr, bool made, struct problem *p)
{
	auto_struct(approval) *approval = NULL;

	e->waiting = (struct waiting){
		.call = e->call, .identity = e->identity, .sent = e->sent, .csr = csr, .made = made,
	};
	if (e->call->profile->approvals > 0 && !waiting_find(&e->waiting, p))
		return refuse(e, p);
	if (waiting_issued(&e->waiting, &e->certificate, p))
		return true;
	if (problem_is_set(p) || !enroll_unspent(e, p))
		return false;
	bool approved = judge(e, &approval, p);
	if ((approved && sign(e, &approval, p)) || issued_meanwhile(e, p))
		return true;
	if (approved)
		return false;
	return problem_forgive(p, PROBLEM_USER_ACTION_REQUIRED) ? waiting_ask(&e->waiting, p) : refuse(e, p);
}

/* RFC 7030, 4.2.3: the certificate alone; its chain is what cacerts is for. */
static bool enroll(struct est_call *call, bool renewal, struct problem *p)
{
	auto_value(enrolling) e = { .call = call };

	if (!enroll_begin(&e, renewal, p) || !enroll_issue(&e, buf_bytes(&e.body), false, p))
		return false;
	return e.certificate.id[0] == '\0' || certs_only_reply(call, CERTS_ONLY_TYPE, e.certificate.der, p);
}

bool est_simpleenroll(struct est_call *call, struct problem *p)
{
	return enroll(call, false, p);
}

bool est_simplereenroll(struct est_call *call, struct problem *p)
{
	return enroll(call, true, p);
}
