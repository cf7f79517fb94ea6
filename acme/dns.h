/* DNS: the addresses of a name that is being validated. This file and dns_loop own libunbound.
 *
 * A `struct dns` is shared by all probes; each lookup runs on its caller's thread, in a libunbound
 * of its own that is kept for the next. It asks the resolvers that it was given, or those of
 * resolv.conf with /etc/hosts before them, both as they are when a libunbound is first made, which
 * a lookup does that finds none idle. Answers are not cached: what counts is what the name is now.
 * Internal to acme/. */
#pragma once

#include "base/addr.h"

struct dns;
bool dns_open(const struct strings *resolvers, struct dns **ret, struct problem *p) must_use; /* copies */
void dns_close(struct dns *dns); /* no lookup is running */
declare_auto_struct(dns, dns_close);

enum { DNS_FAMILY_MAX = 8 };
struct dns_addresses {
	struct addr v[2 * DNS_FAMILY_MAX]; /* IPv6 first (RFC 6724 prefers it) */
	size_t n;                          /* at least 1 */
};
/* AAAA and A, asked at once; more than DNS_FAMILY_MAX of either are cut off. deadline is a
 * clock_monotonic_ms. Refusals: DNS, in words for the one who runs that name. */
bool dns_lookup(struct dns *dns, const char *name, int64_t deadline, struct dns_addresses *ret,
                struct problem *p) must_use;
