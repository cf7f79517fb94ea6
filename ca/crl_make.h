/* CRL making: the lists of one issuer as the store has it at one moment: one complete list for each shard, and
 * a delta to each where deltas are wanted. All of one making have one number (RFC 5280, 5.2.4), which is taken in
 * the store before anyone sees them. One thread for each issuer; the lists made are immutable, and shared: who
 * takes one unrefs it. */
#pragma once

#include <stdatomic.h>

#include "base/http.h"
#include "ca/issuer.h"
#include "store/revocation.h"

struct crls_options {
	int64_t lifetime;       /* seconds from thisUpdate to nextUpdate */
	int64_t interval;       /* seconds from one scheduled list to the next; shorter than the lifetime */
	/* At least between two lists of an issuer: revocations that come together share one, and large lists
	 * take more of it. 0: no pause. */
	unsigned pause_ms;
	int64_t delta_lifetime; /* seconds; 0: no delta CRLs */
};

enum {
	CRL_SHARDS_MAX = 1024,
	CRL_CLOCK_BACK = 60, /* seconds that thisUpdate may lie ahead before the list is made anew */
};
struct crl {
	atomic_int refs;
	struct buf der;
	int64_t number, this_update, next_update;
	size_t count;                     /* entries */
	int64_t changes;                  /* revocations that were known to it (store/revocation.h) */
	char etag[HTTP_ETAG_SIZE];
};
/* Reads number and times of a list in DER. MALFORMED. */
bool crl_from(struct bytes der, struct crl **ret, struct problem *p) must_use;
void crl_unref(struct crl *crl);
declare_auto_struct(crl, crl_unref);

/* Those of one making; deltas NULL: none. */
struct crl_set {
	size_t shards;
	struct crl **complete, **deltas;
	bool scheduled;                   /* made because its time had come */
	int64_t crl_scheduled;            /* thisUpdate of the last that was */
};
void crl_set_free(struct crl_set *set);
declare_auto_value(crl_set, crl_set_free);

/* Whether the time of the next scheduled list has come, the last one being of that time. */
bool crl_is_scheduled(const struct crls_options *options, int64_t last, int64_t now) must_use;
/* CONFLICT: another process makes lists of this issuer at the same time. UNAVAILABLE: the work that it is a job of
 * ends. */
bool crl_set_make(const struct crls_options *options, struct store *store, const struct issuer *issuer,
                  struct crl_set *ret, struct problem *p) must_use;
