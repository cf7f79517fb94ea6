/* OCSP: tells the status of certificates (RFC 6960; RFC 9919, the lightweight profile).
 *
 * The status is read from the store for each request, so that a revocation is seen at once, whoever
 * recorded it; signed answers are kept for those who ask without a nonce. ocsp_refresh, which one
 * thread calls about once a second, gives each issuer a responder key and replaces it in time; no
 * request ever waits for that. Any thread. */
#pragma once

#include "ca/ca.h"
#include "ca/ocsp_cache.h"
#include "store/store.h"

struct ocsp;
/* What is said of a serial number that is not in the inventory: "unknown", signed; or, where other
 * responders may know more, unauthorized for a request of which nothing is known (RFC 9919, 3.2.3). */
enum ocsp_unknown { OCSP_SAY_UNKNOWN, OCSP_SAY_UNAUTHORIZED };
struct ocsp_options {
	int64_t lifetime;            /* seconds from thisUpdate to nextUpdate */
	int64_t responder_lifetime;  /* seconds of a responder's certificate; twice the lifetime, or more */
	/* seconds for which expired certificates are told of (RFC 6960, 4.4.4); 0: it is not said */
	int64_t archive;
	bool nonce;                  /* sent back; false: the answer is without one (RFC 9919, 3.2.1) */
	enum ocsp_unknown unknown;
	unsigned cache_places;
};

/* Borrows store and CA. */
bool ocsp_open(const struct ocsp_options *options, struct store *store, const struct ca *ca, struct ocsp **ret,
               struct problem *p) must_use;
void ocsp_close(struct ocsp *ocsp);
declare_auto_struct(ocsp, ocsp_close);

/* false: an issuer is without a new responder; the old one stays, and it is tried again some seconds later. */
bool ocsp_refresh(struct ocsp *ocsp, struct problem *p) must_use;
/* Answers a DER request to an issuer's responder. Refusals are for ocsp_answer_error: MALFORMED,
 * UNAUTHORIZED when no certificate of the request is of this issuer, UNAVAILABLE, INTERNAL; and
 * NOT_FOUND, when there is no such issuer. */
bool ocsp_answer(struct ocsp *ocsp, const char *issuer, struct bytes request, struct ocsp_reply *ret,
                 struct problem *p) must_use;
