/* CRLs: the current list of each issuer, ready to be sent.
 *
 * A list is made outside of any request, by crls_refresh, which one thread calls about once a second:
 * when revocations were recorded since the last one, by whichever process; when its time has come;
 * and when there is none yet. Lists are immutable and shared: who takes one unrefs it. Numbers rise
 * across restarts, backups that are put back, and clocks that are, because each is more than the
 * last one in the store and no less than the time (RFC 5280, 5.2.3). Any thread. */
#pragma once

#include "ca/ca.h"
#include "ca/crl_make.h"
#include "store/store.h"

struct crls;

/* Borrows store and CA. */
bool crls_open(const struct crls_options *options, struct store *store, const struct ca *ca, struct crls **ret,
               struct problem *p) must_use;
void crls_close(struct crls *crls);
declare_auto_struct(crls, crls_close);

/* Makes the lists that are due, of all issuers that the CA has by now. false: one could not be made; the old one
 * stays, and it is tried again some seconds later. */
bool crls_refresh(struct crls *crls, struct problem *p) must_use;

/* A list: which one of those side by side, and whether the delta to it. */
struct crl_name {
	size_t shard;
	bool delta;
};
/* "0.crl", "0.delta.crl". false: no such name. */
bool crl_name_from(const char *text, struct crl_name *ret) must_use;
/* The issuer's list, the caller's to unref. NOT_FOUND: no such issuer or list; UNAVAILABLE: not made yet. That of
 * a CA which is none of the issuers, a root, is the file NAME.crl in the CA's folder (`enrolld ca crl`). */
bool crls_get(struct crls *crls, const char *issuer, struct crl_name name, struct crl **ret,
              struct problem *p) must_use;
