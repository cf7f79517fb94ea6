/* Order request: a newOrder on its way to an order (RFC 8555, 7.4). Internal to acme/order_*.c. */
#pragma once

#include "acme/authorization.h"
#include "store/order.h"

/* How one identifier of it is proven. */
struct order_proof {
	/* the name, or the domain above it that is proven in its place (RFC 9444) */
	struct identifier proven;
	struct authorization_draft draft;    /* what is stored where nothing can be reused */
	struct authorization_found found;
};
/* All that is random or takes the clock is made before the update, which may run more than once. */
struct order_request {
	const struct acme_call *call;
	const struct profile *profile;
	size_t n;                            /* identifiers, without doubles */
	struct order_identifier *sent;       /* as the client wrote them; borrowed from the payload */
	struct identifier *names;            /* canonical */
	struct order_proof *proofs;
	const char **ids;                    /* of the order's authorizations */
	struct order order;
	int64_t expires;
	bool renewal;                        /* of a certificate whose time has come (RFC 9773, 5) */
};

/* acme/order_ask.c: reads and judges what is asked for. */
bool order_ask(struct order_request *r, struct problem *p) must_use;

/* acme/order_prove.c: makes the drafts of the authorizations that may be needed. */
bool order_prove_begin(struct order_request *r, struct problem *p) must_use;
/* In the update: finds what can be reused, stores the rest, and sets the order's authorizations and expiry.
 * ret_ready: nothing is left to be proven. */
bool order_prove(struct store_txn *txn, struct order_request *r, bool *ret_ready, struct problem *p) must_use;
