#include "acme/request.h"

#include <stdio.h>

#include "acme/claim.h"
#include "acme/event.h"
#include "acme/later.h"
#include "acme/order_caa.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/predecessor.h"
#include "base/clock.h"
#include "base/digest.h"
#include "ca/inventory.h"
#include "policy/decided.h"
#include "policy/gate.h"
#include "policy/scope.h"
#include "store/request.h"

enum { BATCH = 50 + LATER_MAX, EVERY_MS = 1000 };

/* --- asking */

struct asking {
	const struct acme_call *call;
	struct order *order;         /* as it is stored then */
	struct request request;      /* borrows all it has */
	uint8_t digest[SHA256_SIZE];
};

static bool tell(struct store_txn *txn, const struct asking *a, struct problem *p)
{
	char actor[EVENT_ACTOR_SIZE], from[ADDR_TEXT_SIZE];
	const struct audit_fact facts[] = {
		audit_text("request", a->request.id), audit_text("order", a->request.order),
		audit_text("profile", a->request.profile), audit_text("names", a->request.names), { 0 },
	};

	event_actor(a->call->account.id, actor);
	event_from(a->call, from);
	return store_audit_add(txn,
	                       &(struct audit_event){ .kind = AUDIT_REQUEST_MADE, .time = a->call->now, .actor = actor,
	                                                   .from = from, .facts = facts }, p);
}

static bool store_asked(struct store_txn *txn, void *arg, struct problem *p)
{
	struct asking *a = arg;

	order_free(a->order);
	*a->order = (struct order){0};
	if (!acme_account_stays(txn, a->request.account, p) || !store_order_get(txn, a->request.order, a->order, p))
		return false;
	if (!order_step(&a->order->status, ORDER_FINALIZED))
		return problem_set(p, PROBLEM_ORDER_NOT_READY, "RFC 8555, 7.4: the order is %s",
		                   order_status_name(a->order->status));
	a->order->csr_digest = BYTES(a->digest, sizeof(a->digest));
	if (a->order->expires < a->request.expires)
		a->order->expires = a->request.expires;
	return store_order_put(txn, a->order, p) && authorizations_outlast(txn, a->order, a->order->expires, p) &&
	       store_request_put(txn, &a->request, p) && tell(txn, a, p);
}

static void names_join(const struct order *order, struct buf *ret)
{
	const struct order_identifier *v = order->identifiers.v;

	for (size_t i = 0; i < order->identifiers.n; i++)
		buf_printf(ret, "%s%s:%s", i > 0 ? ", " : "", v[i].type, v[i].value);
}

static bool request_fill(struct asking *a, const struct order *order, struct bytes der, const struct csr *csr,
                         const char *names, struct problem *p)
{
	const struct profile *profile = profiles_find(a->call->profiles, order->profile);

	if (!profile)
		return problem_set(p, PROBLEM_INVALID_PROFILE, "there is no profile \"%s\" any more", order->profile);
	memcpy(a->digest, csr->digest, sizeof(a->digest));
	a->request = (struct request){
		.profile = profile->name, .method = "acme", .names = names, .csr = der, .needed = profile->approvals,
		.csr_digest = BYTES(a->digest, sizeof(a->digest)), .key_hash = BYTES(csr->key_hash, SHA256_SIZE),
		.due = true, .created = a->call->now, .expires = a->call->now + profile->approval_lifetime,
	};
	memcpy(a->request.account, order->account, sizeof(a->request.account));
	memcpy(a->request.order, order->id, sizeof(a->request.order));
	return random_id_timed(a->request.id, p);
}

bool request_ask(const struct acme_call *call, const struct order *order, struct bytes csr, struct order *ret,
                 struct problem *p)
{
	struct asking a = { .call = call, .order = ret };
	auto_struct(csr) *parsed = NULL;
	auto_value(buf) names = {0};

	names_join(order, &names);
	bool asked = buf_check(&names, p) && csr_parse(csr, &parsed, p) &&
	             request_fill(&a, order, csr, parsed, buf_text(&names), p) &&
	             store_update(call->acme->store, store_asked, &a, p);
	ret->csr_digest = BYTES(NULL, 0); /* it was borrowed */
	return asked;
}

/* --- carrying out */

struct deciding {
	struct acme *acme;
	const char *id;
	struct request request;          /* as it was when the work began */
	struct certificate certificate;
	char replaces[RANDOM_ID_SIZE];   /* id of the one that it replaces */
	struct state_change change;
	struct buf error;
	const char *reason;              /* of what fails now; NULL: as it was decided */
};

static void deciding_free(struct deciding *d)
{
	request_free(&d->request);
	certificate_free(&d->certificate);
	buf_free(&d->error);
}
declare_auto_value(deciding, deciding_free);

static bool request_read(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;

	return store_request_get(txn, d->id, &d->request, p);
}

static bool settle(struct store_txn *txn, const struct deciding *d, struct request *request, struct problem *p)
{
	return decided_put(txn, request, d->change.now, d->change.keep_until, p);
}

/* In an update: nobody has cancelled it since, and the order still waits. */
static bool store_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;
	auto_value(request) request = {0};
	auto_value(order) order = {0};
	char actor[EVENT_ACTOR_SIZE];

	if (!store_request_get(txn, d->id, &request, p) || !acme_account_stays(txn, request.account, p) ||
	    !store_order_get(txn, request.order, &order, p) ||
	    !predecessor_find(txn, d->acme->ca, &order, d->change.now, d->replaces, p) ||
	    !scope_spend(txn, request.account, d->change.now, p))
		return false;
	d->certificate.replaces = d->replaces[0] ? d->replaces : NULL;
	if (request.state != REQUEST_APPROVED)
		return problem_set(p, PROBLEM_CONFLICT, "the request is %s", request_state_name(request.state));
	request.state = REQUEST_ISSUED;
	memcpy(order.certificate, d->certificate.id, sizeof(order.certificate));
	memcpy(request.certificate, d->certificate.id, sizeof(request.certificate));
	event_actor(request.account, actor);
	return inventory_add(txn, &d->certificate, actor, NULL, p) &&
	       order_apply(txn, &order, ORDER_ISSUED, &d->change, p) &&
	       settle(txn, d, &request, p);
}

static bool order_end(struct store_txn *txn, const struct deciding *d, const char *id, struct problem *p)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, id, &order, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return order.status != ORDER_PROCESSING || order_apply(txn, &order, ORDER_FAILED, &d->change, p);
}

static bool store_ended(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;
	auto_value(request) request = {0};

	return decided_fail(txn, d->id, &d->reason, &request, p) && order_end(txn, d, request.order, p) &&
	       settle(txn, d, &request, p);
}

/* The order ends as the request did, and says why (RFC 8555, 7.1.6). */
static bool end(struct deciding *d, const struct problem *fault, struct problem *p)
{
	const char *reason = d->request.reasons.n > 0 ? d->request.reasons.v[0] : "no reason was given";
	auto_value(problem) why = {0};

	if (!fault)
		problem_set(&why, PROBLEM_UNAUTHORIZED, "the request was %s: %s",
		            request_state_name(d->request.state), reason);
	acme_problem_write(fault ?: &why, NULL, &d->error);
	if (!buf_check(&d->error, p))
		return false;
	d->reason = fault ? fault->detail : NULL;
	d->change.error = buf_text(&d->error);
	return store_update(d->acme->store, store_ended, d, p);
}

static bool read_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct order *order = arg;
	char id[RANDOM_ID_SIZE];

	memcpy(id, order->id, sizeof(id));
	return store_order_get(txn, id, order, p);
}

static bool check_caa(struct acme *acme, const struct profiles *profiles, const char *id, struct problem *p)
{
	auto_value(order) order = {0};

	snprintf(order.id, sizeof(order.id), "%s", id);
	return store_view(acme->store, read_order, &order, p) && order_caa(acme, profiles, &order, p);
}

static bool issue(struct deciding *d, struct problem *p)
{
	struct acme *acme = d->acme;
	const struct request *request = &d->request;
	auto_struct(approval) *approval = NULL;
	auto_struct(profiles) *profiles = acme_profiles(acme);

	return gate_order(acme->store, profiles, request->order, request->account, request->csr, &approval, p) &&
	       check_caa(acme, profiles, request->order, p) &&
	       ca_issue(acme->ca, &approval, &d->certificate, p) && store_update(acme->store, store_issued, d, p);
}

static bool carry_out(struct acme *acme, const char *id, struct problem *p)
{
	int64_t now = clock_now();
	auto_value(problem) why = {0};
	auto_value(deciding) d = {
		.acme = acme, .id = id, .change = { .now = now, .keep_until = now + acme->options.retention },
	};

	if (!store_view(acme->store, request_read, &d, p))
		return false;
	if (d.request.state != REQUEST_APPROVED)
		return end(&d, NULL, p);
	if (issue(&d, &why))
		return true;
	if (decided_is_final(&why))
		return end(&d, &why, p);
	return problem_pass(&why, p); /* and so once more, in a second */
}

/* What CAA is asked for is not waited for here. */
static bool begin(void *arg, const char *id, struct problem *p)
{
	struct acme *acme = arg;
	auto_value(deciding) d = { .acme = acme, .id = id };

	if (!store_view(acme->store, request_read, &d, p))
		return false;
	if (d.request.state == REQUEST_APPROVED && order_caa_wanted(acme, d.request.profile))
		return later_do(acme, "request", id, carry_out, p);
	return claim_held(acme->claims, id) || carry_out(acme, id, p);
}

static struct decided decided_of(struct acme *acme)
{
	return (struct decided){ acme->store, "acme", BATCH, begin, acme };
}

bool acme_requests_once(struct acme *acme, struct problem *p)
{
	const struct decided decided = decided_of(acme);

	return decided_carry_out(&decided, p);
}

static void run(void *arg)
{
	auto_value(problem) closing = {0};
	struct acme *acme = arg;
	const struct decided decided = decided_of(acme);

	decided_run(&decided);
	(void)!work_add(acme->sweeper, EVERY_MS, run, acme, &closing);
}

bool acme_requests_begin(struct acme *acme, struct problem *p)
{
	return work_add(acme->sweeper, EVERY_MS, run, acme, p);
}
