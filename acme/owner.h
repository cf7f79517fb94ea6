/* Owner: whose an order, authorization or certificate is. Internal to acme/. */
#pragma once

#include "acme/call.h"

/* Whether a thing of that account and directory is the caller's. Another directory's is NOT_FOUND:
 * its URL is not below this one. Another account's is UNAUTHORIZED (403; RFC 8555, 6.7: "lacks
 * sufficient authorization") and not hidden: its id has 128 random bits, so who asks knew it. */
bool acme_owned(const struct acme_call *call, const char *account, const char *directory, const char *what,
                struct problem *p) must_use;
/* In the update that stores what a request asked for, or what was done for an account: it has not been
 * deactivated since. UNAUTHENTICATED (RFC 8555, 7.3.6). */
bool acme_account_stays(struct store_txn *txn, const char *account, struct problem *p) must_use;
