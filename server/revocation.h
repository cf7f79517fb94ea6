/* Revocation: the wing with what relying parties ask about certificates: CRLs at
 * /crl/{issuer}/{shard}.crl (RFC 5280, 4.2.1.13) and OCSP at /ocsp/{issuer} (RFC 6960, A.1; RFC 9919,
 * 6); and the thread that keeps both fresh. Over plain HTTP: what it says is signed, and who checks
 * a certificate cannot check another one first. */
#pragma once

#include "base/http.h"
#include "ca/crls.h"
#include "ca/ocsp.h"
#include "server/root_watch.h"

struct revocation_options {
	struct crls_options crl;
	int64_t crl_max_age;        /* seconds that a cache may keep a list, if nextUpdate does not come first */
	struct ocsp_options ocsp;
	struct root_watch_options roots; /* not the configuration's */
};
struct revocation_service;
/* Borrows store and CA. Lists and responder keys are made at once, but on the thread. */
bool revocation_open(const struct revocation_options *options, struct store *store, struct ca *ca,
                     struct revocation_service **ret, struct problem *p) must_use;
void revocation_close(struct revocation_service *service);
declare_auto_struct(revocation_service, revocation_close);
/* The lists, for those who watch them. */
struct crls *revocation_crls(struct revocation_service *service);
struct root_watch *revocation_roots(struct revocation_service *service);
/* service NULL: to read the routes of. */
struct http_wing revocation_wing(struct revocation_service *service);
