/* Event: what ACME tells the audit log (store/audit.h). Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "store/audit.h"

/* The actor's words: the account that signed, or the one that is being made. */
enum { EVENT_ACTOR_SIZE = sizeof("account ") + RANDOM_ID_SIZE };
void event_actor(const char *account_id, char ret[EVENT_ACTOR_SIZE]);
/* Where the call came from. */
void event_from(const struct acme_call *call, char ret[ADDR_TEXT_SIZE]);

/* Of an account, in the update that changes it. The account's id comes first among the facts; more may
 * be NULL. */
bool event_account(struct store_txn *txn, const struct acme_call *call, enum audit_kind kind, const char *account_id,
                   const struct audit_fact *more, struct problem *p) must_use;

/* What policy or ownership refused to an account, with all reasons; into the queue. What says nothing of policy
 * is not kept: a request at the wrong moment, of the wrong form or too often, our own failures. Nor
 * is what strangers ask: whoever has no account cannot fill the log. subject and id say of what. */
void event_refused(const struct acme_call *call, enum audit_kind kind, const char *subject, const char *id,
                   const struct problem *p);
