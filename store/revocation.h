/* Revocation: what is known of the revocations of an issuer as a whole, one record for each issuer:
 * a count that tells whether a list is still up to date, and the last list that was made. */
#pragma once

#include "store/record.h"
#include "store/store.h"

struct revocation {
	void *memory;
	const char *issuer;     /* its id (ca/issuer.h) */
	int64_t changes;        /* rises with every revocation, whichever process records it */
	int64_t crl_number;     /* of the last CRL; 0: none was made */
	int64_t crl_changes;    /* those that it knew of */
	int64_t crl_time;       /* its thisUpdate */
	int64_t crl_scheduled;  /* thisUpdate of the last CRL that was made because its time had come */
	int64_t shards;         /* the most CRLs that there ever were side by side; 0: one */
	int64_t delta_base, delta_base_time; /* number and thisUpdate of the CRL that deltas are to; 0: none */
	int64_t next_base, next_base_time;   /* of the one that follows it as such */
};
void revocation_free(struct revocation *revocation);
declare_auto_value(revocation, revocation_free);

/* All zero but for the issuer where nothing was recorded yet; issuer is borrowed from the caller then. */
bool store_revocation_get(struct store_txn *txn, const char *issuer, struct revocation *ret,
                          struct problem *p) must_use;
bool store_revocation_put(struct store_txn *txn, const struct revocation *revocation, struct problem *p) must_use;
/* Counts a change, in the update that makes it. */
bool store_revocation_change(struct store_txn *txn, const char *issuer, struct problem *p) must_use;
