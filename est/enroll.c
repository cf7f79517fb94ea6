#include "ca/inventory.h"
#include "est/binding.h"
#include "est/body.h"
#include "est/call.h"
#include "est/certs_only.h"
#include "est/requester.h"
#include "policy/client_certificate.h"
#include "policy/gate.h"
#include "store/audit_queue.h"

struct enrolling {
	struct est_call *call;
	struct identity *identity;
	struct buf csr;
	struct certificate certificate;
};
static void enrolling_done(struct enrolling *e)
{
	identity_free(e->identity);
	buf_free(&e->csr);
	certificate_free(&e->certificate);
}
declare_auto_value(enrolling, enrolling_done);

static bool record(struct store_txn *txn, void *arg, struct problem *p)
{
	struct enrolling *e = arg;
	char from[ADDR_TEXT_SIZE];

	addr_format(&e->call->request->peer, from);
	return identity_spend(txn, e->identity, e->call->now, p) &&
	       inventory_add(txn, &e->certificate, identity_text(e->identity), from, p);
}

/* What policy refused to somebody who is known. Our own failures are none of it. */
static bool refuse(const struct enrolling *e, const struct problem *p)
{
	const struct est_call *call = e->call;
	char from[ADDR_TEXT_SIZE];

	if (problem_status(p) >= 500)
		return false;
	addr_format(&call->request->peer, from);
	const struct audit_fact facts[] = { audit_text("profile", call->profile->name), {0} };
	const struct audit_event event = { AUDIT_CERTIFICATE_REFUSED, call->now, identity_text(e->identity), from, facts };
	audit_queue_refuse(call->est->audit, &event, p);
	return false;
}

static bool issue(struct enrolling *e, struct problem *p)
{
	struct est_call *call = e->call;
	auto_struct(approval) *approval = NULL;

	if (!gate_identity(call->est->store, call->profiles, call->profile->name, e->identity, buf_bytes(&e->csr), &approval, p))
		return refuse(e, p);
	if (!ca_issue(call->est->ca, &approval, &e->certificate, p))
		return false;
	const struct client_certificate *old = identity_certificate(e->identity, NULL);
	e->certificate.replaces = old ? old->id : NULL;
	return store_update(call->est->store, record, e, p);
}

/* RFC 7030, 4.2.3: the certificate alone; its chain is what cacerts is for. */
static bool enroll(struct est_call *call, bool renewal, struct problem *p)
{
	auto_value(enrolling) e = { .call = call };

	return requester_identify(call, renewal, &e.identity, p) && body_read(call->request->body, &e.csr, p) &&
	       binding_check(call, e.identity, buf_bytes(&e.csr), p) && issue(&e, p) &&
	       certs_only_reply(call, CERTS_ONLY_TYPE, e.certificate.der, p);
}

bool est_simpleenroll(struct est_call *call, struct problem *p)
{
	return enroll(call, false, p);
}

bool est_simplereenroll(struct est_call *call, struct problem *p)
{
	return enroll(call, true, p);
}
