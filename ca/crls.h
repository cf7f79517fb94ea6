/* CRLs: the current list of each issuer, ready to be sent.
 *
 * A list is made outside of any request, by crls_refresh, which one thread calls about once a second:
 * when revocations were recorded since the last one, by whichever process; when its time has come;
 * and when there is none yet. Lists are immutable and shared: who takes one unrefs it. Numbers rise
 * across restarts, backups that are put back, and clocks that are, because each is more than the
 * last one in the store and no less than the time (RFC 5280, 5.2.3). Any thread. */
#pragma once

#include <stdatomic.h>

#include "ca/ca.h"
#include "store/store.h"

struct crls;
struct crls_options {
	int64_t lifetime;       /* seconds from thisUpdate to nextUpdate */
	int64_t interval;       /* seconds from one scheduled list to the next; shorter than the lifetime */
	/* At least between two lists of an issuer: revocations that come together share one, and large lists
	 * take more of it. 0: no pause. */
	unsigned pause_ms;
};

enum { CRL_ETAG_SIZE = 2 + 64 + 1 };
struct crl {
	atomic_int refs;
	struct buf der;
	int64_t number, this_update, next_update;
	size_t count;                     /* entries */
	int64_t changes;                  /* revocations that were known to it (store/revocation.h) */
	char etag[CRL_ETAG_SIZE];         /* quoted */
};
void crl_unref(struct crl *crl);
declare_auto_struct(crl, crl_unref);

/* Borrows store and CA. */
bool crls_open(const struct crls_options *options, struct store *store, const struct ca *ca, struct crls **ret,
               struct problem *p) must_use;
void crls_close(struct crls *crls);
declare_auto_struct(crls, crls_close);

/* Makes the lists that are due. false: one could not be made; the old one stays, and it is tried again
 * some seconds later. */
bool crls_refresh(struct crls *crls, struct problem *p) must_use;
/* The issuer's list, the caller's to unref. NOT_FOUND: no such issuer; UNAVAILABLE: not made yet. */
bool crls_get(struct crls *crls, const char *issuer, struct crl **ret, struct problem *p) must_use;
