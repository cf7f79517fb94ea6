/* EAB: external account binding (RFC 8555, 7.3.4), a client's proof that an operator gave it a key. */
#pragma once

#include "acme/call.h"
#include "policy/scope.h"

struct eab_binding {
	struct buf kid;
	struct buf json;       /* the binding as sent, for the account object */
	struct eab key;        /* as it was then: what the account inherits */
};
void eab_binding_free(struct eab_binding *binding);
declare_auto_value(eab_binding, eab_binding_free);

/* Takes the five steps of 7.3.4 for the key of the call. An expired, revoked or used-up key, or one
 * of another directory, is as none. UNAUTHORIZED, MALFORMED, BAD_SIGNATURE_ALGORITHM. */
bool eab_verify(const struct acme_call *call, const struct json *object, struct eab_binding *ret,
                struct problem *p) must_use;

/* Counts one use, in the update that makes the account, and refuses what is used up by then. */
bool eab_use(struct store_txn *txn, const char *kid, const char *directory, int64_t now,
             struct problem *p) must_use;
