/* Order state: what may become of orders, authorizations and challenges (RFC 8555, 7.1.6).
 *
 * The arrows of the RFC's figures are tables here, and every change of a status goes through them.
 * A change of an authorization carries its orders along in the same update, so that no client ever
 * sees a valid authorization whose order still waits for it. Owns nothing; any thread. Internal to
 * acme/. */
#pragma once

#include "store/authorization.h"
#include "store/order.h"

enum order_event {
	ORDER_AUTHORIZED,     /* all its authorizations are valid */
	ORDER_FINALIZED,      /* a finalize request was accepted */
	ORDER_ISSUED,
	ORDER_CANCEL,         /* by the client, of one that renews itself (RFC 8739, 3.1.2) */
	ORDER_FAILED,         /* an error, its end in time, or an authorization that ended */
	ORDER_EVENT_MAX,
};
enum authorization_event {
	AUTHORIZATION_PROVED,     /* one of its challenges is valid */
	AUTHORIZATION_FAILED,     /* a challenge was tried and failed */
	AUTHORIZATION_DEACTIVATE, /* by the client, 7.5.2 */
	AUTHORIZATION_REVOKE,     /* by the server */
	AUTHORIZATION_EXPIRE,
	AUTHORIZATION_EVENT_MAX,
};
enum challenge_event {
	CHALLENGE_RESPONSE,   /* the client's, first or again */
	CHALLENGE_RETRY,      /* a probe failed, another follows (8.2) */
	CHALLENGE_PROVED,
	CHALLENGE_FAILED,
	CHALLENGE_EVENT_MAX,
};

/* Follows the arrow of that event. false: there is none, the status stays. */
bool order_step(enum order_status *status, enum order_event event) must_use;
bool authorization_step(enum authorization_status *status, enum authorization_event event) must_use;
bool challenge_step(enum challenge_status *status, enum challenge_event event) must_use;

/* What time has made of the stored status, whether or not the sweeper has been there yet. */
enum authorization_status authorization_status_at(const struct authorization *authorization, int64_t now);
/* The same; for a pending order its authorizations are looked at too. */
bool order_status_at(struct store_txn *txn, const struct order *order, int64_t now, enum order_status *ret,
                     struct problem *p) must_use;

/* What a change needs to know besides its event; made before the update. */
struct state_change {
	int64_t now;
	int64_t keep_until;   /* when what ends here may be swept; 0: as before */
	int64_t valid_until;  /* for AUTHORIZATION_PROVED: how long it may be reused */
	int64_t ends;         /* the same: when the proof itself ends, whatever orders wait; 0: not by itself */
	const char *error;    /* problem document for orders that end by it; never NULL when one can */
};
/* In the caller's update: moves the authorization, stores it as it is now, and moves the orders
 * that wait for it. true without a change when the event has no arrow from its status. */
bool authorization_apply(struct store_txn *txn, struct authorization *authorization,
                         enum authorization_event event, const struct state_change *change, struct problem *p) must_use;
/* In the caller's update: what the order rests on, where it is valid, does not end before that time, or with the proof
 * itself: the gate wants it valid whenever a certificate is made for the order. */
bool authorizations_outlast(struct store_txn *txn, const struct order *order, int64_t until,
                            struct problem *p) must_use;
/* In the caller's update: moves the order and stores it as it is now. ORDER_NOT_READY when the
 * event has no arrow from its status. */
bool order_apply(struct store_txn *txn, struct order *order, enum order_event event,
                 const struct state_change *change, struct problem *p) must_use;
