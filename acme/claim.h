/* Claim: which orders are being finalized at this moment, so that of many requests that finalize
 * one order only one signs.
 *
 * In memory only: what makes an issuance happen once is the compare-and-set of the order's status
 * in the store; a claim saves the others from signing in vain.
 * A `struct claims` is shared by all threads. Internal to acme/. */
#pragma once

#include "base/random.h"

struct claims;
bool claims_open(struct claims **ret, struct problem *p) must_use;
void claims_close(struct claims *claims);
declare_auto_struct(claims, claims_close);

/* Takes the order's claim, waiting up to wait_ms while somebody else has it: then it is the caller's until claim_release. */
bool claim_take(struct claims *claims, const char *order, int64_t wait_ms, bool *ret_taken, struct problem *p) must_use;
void claim_release(struct claims *claims, const char *order);
/* Whether the order is being finalized: it is shown as processing then. */
bool claim_held(struct claims *claims, const char *order) must_use;
