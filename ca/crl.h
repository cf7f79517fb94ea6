/* CRL: a list of what an issuer has revoked (RFC 5280, 5), written as its entries come, in one buffer. One
 * thread writes it.
 *
 * A list of all that an issuer signed needs no issuingDistributionPoint (RFC 5280, 5.2.5), which is critical, and
 * which readers need not understand: it comes with a second shard. */
#pragma once

#include "ca/der.h"
#include "ca/issuer.h"

struct crl_facts {
	int64_t number;                   /* rises from list to list (RFC 5280, 5.2.3) */
	int64_t this_update, next_update;
	/* of the certificates it is about, as they have it; NULL: all of the issuer */
	const char *scope_url;
	int64_t base;                     /* a delta CRL: to the list of this number (5.2.4); 0: a complete one */
	const char *delta_url;            /* where the delta to it is (5.2.6); NULL: none. Not in a delta */
};
enum { CRL_REMOVE_FROM_CRL = 8 };
struct crl_entry {
	struct bytes serial;              /* big-endian */
	int64_t revoked, reason;          /* RFC 5280, 5.3.1; removeFromCRL in a delta CRL alone */
};
struct crl_writer {
	const struct issuer *issuer;
	struct crl_facts facts;
	struct der der;
	size_t begin;                     /* of the TBSCertList */
	size_t count;                     /* entries so far */
};
/* Appends to out, which outlives the writer. */
void crl_begin(struct crl_writer *w, const struct issuer *issuer, const struct crl_facts *facts,
               struct buf *out);
void crl_add(struct crl_writer *w, const struct crl_entry *entry);
/* Signs. INTERNAL when that fails, UNAVAILABLE when the list outgrew its memory. */
bool crl_end(struct crl_writer *w, struct problem *p) must_use;
