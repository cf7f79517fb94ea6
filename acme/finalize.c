#include "acme/actions.h"
#include "acme/claim.h"
#include "acme/event.h"
#include "acme/order.h"
#include "acme/order_caa.h"
#include "acme/order_state.h"
#include "acme/owner.h"
#include "acme/predecessor.h"
#include "acme/request.h"
#include "acme/star.h"
#include "base/base64.h"
#include "ca/inventory.h"
#include "policy/csr.h"
#include "policy/gate.h"
#include "policy/scope.h"

/* How long a request waits for another that finalizes the same order: a signature and a commit. */
enum { CLAIM_WAIT_MS = 2000 };
enum { QUOTA_RETRY = 60 }; /* s */

struct finalizing {
	struct acme_call *call;
	struct buf csr;
	uint8_t digest[SHA256_SIZE];
	struct order order;              /* the caller's to free */
	enum order_status status;
	struct certificate certificate;  /* the caller's to free */
	char replaces[RANDOM_ID_SIZE];   /* id of the one that it replaces */
};

/* Padding is no part of base64url (RFC 7515, 2), but one client that cannot be changed pads here,
 * and here alone it is let pass. */
static bool take_csr(struct finalizing *f, struct problem *p)
{
	const char *text = json_member_string(f->call->payload, "csr");
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.4: \"csr\" is wanted");
	if (len > CSR_DER_MAX / 3 * 4 + 4)
		return problem_set(p, PROBLEM_BAD_CSR, "the CSR is larger than %d bytes", CSR_DER_MAX);
	for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
		len--;
	if (!base64url_decode(text, len, &f->csr))
		return buf_check(&f->csr, p) &&
		       problem_set(p, PROBLEM_BAD_CSR, "RFC 8555, 7.4: the CSR is not in base64url");
	digest_sha256(buf_bytes(&f->csr), f->digest);
	return true;
}

static bool load(struct finalizing *f, struct problem *p)
{
	order_free(&f->order);
	f->order = (struct order){0};
	return order_load(f->call, &f->order, &f->status, p);
}

static bool not_ready(const struct finalizing *f, struct problem *p)
{
	return problem_set(p, PROBLEM_ORDER_NOT_READY, "RFC 8555, 7.4: the order is %s",
	                   order_status_name(f->status));
}

/* Answered as the first time, however often it is asked. */
static bool is_again(const struct finalizing *f)
{
	return (f->status == ORDER_VALID || f->status == ORDER_PROCESSING) &&
	       bytes_equal(f->order.csr_digest, BYTES(f->digest, sizeof(f->digest)));
}

static bool put_certificate(struct store_txn *txn, struct finalizing *f, struct problem *p)
{
	char actor[EVENT_ACTOR_SIZE], from[ADDR_TEXT_SIZE];

	if (!predecessor_find(txn, f->call->acme->ca, &f->order, f->call->now, f->replaces, p))
		return false;
	f->certificate.replaces = f->replaces[0] ? f->replaces : NULL;
	if (scope_is_metered(&f->call->account) && !scope_spend(txn, f->call->account.id, f->call->now, p))
		return false;
	event_actor(f->call->account.id, actor);
	event_from(f->call, from);
	return inventory_add(txn, &f->certificate, actor, from, p);
}

/* In an update: ready to valid by compare-and-set, with the row of the certificate. The claim has
 * kept other requests out; what can have happened meanwhile is that an authorization or the account ended. */
static bool store_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct finalizing *f = arg;
	const struct acme_call *call = f->call;
	struct state_change change = {
		.now = call->now, .keep_until = call->now + call->acme->options.retention,
	};

	order_free(&f->order);
	f->order = (struct order){0};
	if (!acme_account_stays(txn, call->account.id, p) || !store_order_get(txn, call->capture[0], &f->order, p))
		return false;
	f->status = f->order.status;
	if (!order_step(&f->order.status, ORDER_FINALIZED))
		return not_ready(f, p);
	f->order.csr_digest = BYTES(f->digest, sizeof(f->digest));
	memcpy(f->order.certificate, f->certificate.id, sizeof(f->order.certificate));
	if (star_is(&f->order) && !star_begin(txn, &f->order, buf_bytes(&f->csr), &f->certificate,
	                                      call->acme->options.retention, &change.keep_until, p))
		return false;
	return put_certificate(txn, f, p) && order_apply(txn, &f->order, ORDER_ISSUED, &change, p);
}

/* Of several reasons the one that tells the client what to do: fetch the order, or amend the CSR. */
static bool refuse_csr(const struct finalizing *f, struct problem *p)
{
	static const enum problem_kind first[] = { PROBLEM_ORDER_NOT_READY, PROBLEM_BAD_CSR };

	for (size_t k = 0; k < array_length(first) && p->kind == PROBLEM_COMPOUND; k++)
		for (size_t i = 0; i < p->sub_count; i++)
			if (p->subs[i].kind == first[k])
				p->kind = first[k];
	if (p->kind == PROBLEM_RATE_LIMITED)
		p->retry_after = QUOTA_RETRY;
	event_refused(f->call, AUDIT_CERTIFICATE_REFUSED, "order", f->order.id, p);
	return false;
}

/* All is well but that people have to approve: the client sees the order in processing until they have. */
static bool ask(struct finalizing *f, struct problem *p)
{
	auto_value(order) order = {0};

	if (!problem_forgive(p, PROBLEM_USER_ACTION_REQUIRED) ||
	    !request_ask(f->call, &f->order, buf_bytes(&f->csr), &order, p))
		return false;
	order_free(&f->order);
	f->order = order;
	order = (struct order){0};
	f->status = ORDER_PROCESSING;
	return true;
}

/* In a view. What could not be stored is not signed. */
static bool check_predecessor(struct store_txn *txn, void *arg, struct problem *p)
{
	struct finalizing *f = arg;

	return predecessor_find(txn, f->call->acme->ca, &f->order, f->call->now, f->replaces, p);
}

/* With the order claimed. When the gate or the CA refuses, the order stays ready (7.4): a CSR can
 * be amended, and a CA that cannot sign now may do so later. */
static bool issue(struct finalizing *f, struct problem *p)
{
	struct acme_call *call = f->call;
	auto_struct(approval) *approval = NULL;

	if (f->order.replaces && !store_view(call->acme->store, check_predecessor, f, p))
		return false;
	if (!gate_order(call->acme->store, call->profiles, f->order.id, call->account.id, buf_bytes(&f->csr),
	                &approval, p))
		return p->kind == PROBLEM_USER_ACTION_REQUIRED ? ask(f, p) : refuse_csr(f, p);
	if (!order_caa(call->acme, call->profiles, &f->order, p)) {
		event_refused(call, AUDIT_CERTIFICATE_REFUSED, "order", f->order.id, p);
		return false;
	}
	if (!ca_issue(call->acme->ca, &approval, &f->certificate, p) ||
	    !store_update(call->acme->store, store_issued, f, p))
		return false;
	f->status = ORDER_VALID;
	return true;
}

/* The order is read again under the claim: who had it before may have changed it. */
static bool issue_claimed(struct finalizing *f, struct problem *p)
{
	enum claim_result result;
	char id[RANDOM_ID_SIZE];

	memcpy(id, f->order.id, sizeof(id));
	if (!claim_take(f->call->acme->claims, id, f->digest, CLAIM_WAIT_MS, &result, p))
		return false;
	if (result != CLAIM_TAKEN) {
		f->status = ORDER_PROCESSING;
		return result == CLAIM_BUSY_SAME || not_ready(f, p);
	}
	bool done = load(f, p);
	if (done && f->status == ORDER_PROCESSING && f->order.status == ORDER_READY) /* by our own claim */
		done = issue(f, p);
	else if (done && !is_again(f))
		done = not_ready(f, p);
	claim_release(f->call->acme->claims, id);
	return done;
}

static bool finalize(struct finalizing *f, struct problem *p)
{
	if (!load(f, p) || !take_csr(f, p))
		return false;
	if (f->order.status == ORDER_READY && (f->status == ORDER_READY || f->status == ORDER_PROCESSING))
		return issue_claimed(f, p);
	return is_again(f) || not_ready(f, p);
}

bool acme_order_finalize(struct acme_call *call, struct problem *p)
{
	struct finalizing f = { .call = call };
	bool done = finalize(&f, p);

	if (done)
		order_reply(call, 200, &f.order, f.status);
	order_free(&f.order);
	certificate_free(&f.certificate);
	buf_free(&f.csr);
	return done;
}
