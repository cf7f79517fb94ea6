/* Claim: which orders are being finalized at this moment, so that of many requests that finalize
 * one order only one signs.
 *
 * In memory only: what makes an issuance happen once is the compare-and-set of the order's status
 * in the store; a claim saves the others from signing in vain, and lets them answer as the first.
 * A `struct claims` is shared by all threads. Internal to acme/. */
#pragma once

#include "base/digest.h"
#include "base/random.h"

struct claims;
bool claims_open(struct claims **ret, struct problem *p) must_use;
void claims_close(struct claims *claims);
declare_auto_struct(claims, claims_close);

enum claim_result {
	CLAIM_TAKEN,      /* the caller's until claim_release */
	CLAIM_BUSY,       /* somebody else's still, with another CSR */
	CLAIM_BUSY_SAME,  /* somebody else's still, with this very CSR */
};
/* Takes the order's claim, waiting up to wait_ms while somebody else has it. digest is the CSR's. */
bool claim_take(struct claims *claims, const char *order, const uint8_t digest[SHA256_SIZE], int64_t wait_ms,
                enum claim_result *ret, struct problem *p) must_use;
void claim_release(struct claims *claims, const char *order);
/* Whether the order is being finalized: it is shown as processing then. */
bool claim_held(struct claims *claims, const char *order) must_use;
