#include "acme/order_request.h"

#include <assert.h>

#include "acme/event.h"

bool order_prove_begin(struct order_request *r, struct problem *p)
{
	for (size_t i = 0; i < r->n; i++) {
		struct order_proof *proof = &r->proofs[i];
		struct authorization_wish wish = {
			.identifier = &proof->proven, .subdomains = !identifier_equal(&proof->proven, &r->names[i]),
		};
		if (!authorization_draft(r->call, r->profile, &wish, &proof->draft, p))
			return false;
	}
	return true;
}

static bool is_granted(const struct order_proof *proof)
{
	return proof->draft.record.granted;
}

static bool is_found(const struct order_proof *proof)
{
	return proof->found.id[0] != '\0';
}

/* What the account's scope grants is granted each time anew, while the scope is as it is. */
static bool find(struct store_txn *txn, struct order_request *r, size_t i, struct problem *p)
{
	struct order_proof *proof = &r->proofs[i];
	const struct acme_call *call = r->call;

	proof->found.id[0] = '\0';
	if (is_granted(proof))
		return true;
	return authorization_find(txn, call->account.id, r->profile, &r->names[i], call->now, &proof->found, p) &&
	       (is_found(proof) ||
	        authorization_find_above(txn, call->account.id, r->profile, &r->names[i], call->now, &proof->found, p));
}

static void check_provable(const struct order_request *r, size_t i, struct problem *p)
{
	const struct identifier *name = &r->names[i];
	const struct order_proof *proof = &r->proofs[i];

	if (is_found(proof) || is_granted(proof) || proof->draft.record.challenges.n > 0)
		return;
	problem_add(p, PROBLEM_REJECTED_IDENTIFIER, r->sent[i].type, r->sent[i].value,
	            "no challenge type that this server offers can prove %s \"%s\"",
	            identifier_is_wildcard(name) ? "the wildcard name" : "the name", name->value);
}

static bool find_all(struct store_txn *txn, struct order_request *r, struct problem *p)
{
	for (size_t i = 0; i < r->n; i++)
		if (!find(txn, r, i, p))
			return false;
	for (size_t i = 0; i < r->n; i++)
		check_provable(r, i, p);
	return problem_settle(p, "some of the identifiers cannot be proven");
}

/* The earlier identifier that is proven by the same draft, for names below one domain; i: none. */
static size_t shared(const struct order_request *r, size_t i)
{
	const struct order_proof *proof = &r->proofs[i];

	for (size_t k = 0; k < i; k++)
		if (!is_found(&r->proofs[k]) &&
		    r->proofs[k].draft.record.subdomains == proof->draft.record.subdomains &&
		    identifier_equal(&r->proofs[k].proven, &proof->proven))
			return k;
	return i;
}

/* The order is a promise until it expires (7.4), so it ends with what it rests on. ret_pending: authorizations that
 * wait for a proof. */
static void choose(struct order_request *r, size_t *ret_pending)
{
	r->order.expires = r->expires;
	*ret_pending = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct order_proof *proof = &r->proofs[i];
		if (is_found(proof)) {
			r->ids[i] = proof->found.id;
			if (proof->found.expires < r->order.expires)
				r->order.expires = proof->found.expires;
			continue;
		}
		r->ids[i] = r->proofs[shared(r, i)].draft.record.id;
		*ret_pending += !is_granted(proof) && shared(r, i) == i;
	}
}

/* All orders that rest on an authorization end with it, in one update: so they are not without number. */
static bool has_room(struct store_txn *txn, const struct order_request *r, size_t i, struct problem *p)
{
	size_t max = r->call->acme->options.orders_per_authorization_max, n;

	if (max == 0 || !is_found(&r->proofs[i]))
		return true;
	if (!store_order_count_waiting(txn, r->proofs[i].found.id, max, &n, p))
		return false;
	if (n < max)
		return true;
	return problem_limited(p, 60,
	                       "RFC 8555, 6.6: %zu orders for %s \"%s\" have not ended, %zu are allowed: "
	                       "finalize them, "
	                       "or end them all by deactivating their authorization (7.5.2)", n,
	                       r->sent[i].type, r->sent[i].value, max);
}

static bool have_room(struct store_txn *txn, const struct order_request *r, size_t pending, struct problem *p)
{
	for (size_t i = 0; i < r->n; i++)
		if (!has_room(txn, r, i, p))
			return false;
	return authorization_room(txn, r->call, pending, p);
}

static bool store_drafts(struct store_txn *txn, const struct order_request *r, struct problem *p)
{
	for (size_t i = 0; i < r->n; i++)
		if (!is_found(&r->proofs[i]) && shared(r, i) == i &&
		    !store_authorization_put(txn, &r->proofs[i].draft.record, p))
			return false;
	return true;
}

/* What was not challenged is told. */
static bool tell_granted(struct store_txn *txn, const struct order_request *r, struct problem *p)
{
	auto_free const char **names = calloc(r->n, sizeof(*names));
	size_t n = 0;

	assert(r->n > 0);
	if (!names)
		return problem_memory(p);
	for (size_t i = 0; i < r->n; i++)
		if (!is_found(&r->proofs[i]) && is_granted(&r->proofs[i]))
			names[n++] = r->names[i].value;
	const struct audit_fact facts[] = {
		audit_text("order", r->order.id), audit_text("eab", r->call->account.eab_kid),
		audit_text("profile", r->profile->name),
		audit_texts("names", ((struct record_texts){ names, n })), { 0 },
	};
	return n == 0 || event_account(txn, r->call, AUDIT_AUTHORIZATION_GRANTED, r->call->account.id, facts, p);
}

bool order_prove(struct store_txn *txn, struct order_request *r, bool *ret_ready, struct problem *p)
{
	size_t pending;

	if (!find_all(txn, r, p))
		return false;
	choose(r, &pending);
	*ret_ready = true;
	for (size_t i = 0; i < r->n; i++)
		*ret_ready = *ret_ready && (is_found(&r->proofs[i]) || is_granted(&r->proofs[i]));
	return have_room(txn, r, pending, p) && store_drafts(txn, r, p) && tell_granted(txn, r, p);
}
