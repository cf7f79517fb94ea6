/* CAA: whether the owners of names let this CA issue for them (RFC 8659, RFC 8657). Internal to acme/. */
#pragma once

#include "acme/dns.h"

struct caa_subject {
	const char *value;           /* a DNS name without "*." */
	bool wildcard;
	const char *method;          /* the challenge that proved it */
	const char *account_url;
	bool require_dnssec;
};
/* For each of them climbs to the Relevant RRset (RFC 8659, 3), all at once. What cannot be looked up is
 * refused: CAA and DNS problems, one part for each name. */
bool caa_check(struct dns *dns, const struct strings *identities, const struct caa_subject *v, size_t n,
               int64_t deadline, struct problem *p) must_use;
