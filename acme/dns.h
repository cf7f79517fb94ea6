/* DNS: what the world says of names that are being validated.
 *
 * A `struct dns` is shared by all probes; each asking runs on its caller's thread, in a libunbound of its own
 * (acme/dns_resolver.h) that is kept for the next; plain look-ups of addresses mostly need none (acme/dns_stub.h).
 * It asks whom its options name, or the resolvers of resolv.conf with /etc/hosts before them for addresses; these
 * files, and those of trust anchors and root hints, are read again when they have changed. With trust anchors what they
 * speak for is validated (RFC 4035), and bogus is refused. Answers are not cached: what counts is what the name is
 * now. Internal to acme/. */
#pragma once

#include "acme/dns_answer.h"
#include "acme/dns_options.h"

struct dns;
/* Copies what it needs. MALFORMED: a trust anchor or a file of root hints that libunbound does not take.
 * INTERNAL: there is no libunbound. */
bool dns_open(const struct dns_options *options, struct dns **ret, struct problem *p) must_use;
void dns_close(struct dns *dns); /* nobody is asking */
declare_auto_struct(dns, dns_close);

enum dns_fate {
	DNS_UNASKED,        /* or not answered before the deadline */
	DNS_FAILED,         /* an rcode that is neither NOERROR nor NXDOMAIN, or no message at all */
	DNS_BOGUS,          /* a trust anchor says that it is forged, or its zone is broken */
	DNS_NO_NAME,        /* NXDOMAIN */
	DNS_ANSWERED,
};
struct dns_question {
	/* the caller's */
	const char *name;
	int type;
	/* what came */
	enum dns_fate fate;
	int rcode;
	bool secure;        /* proven by a trust anchor, NXDOMAIN too */
	struct buf message; /* of DNS_ANSWERED */
	char why[200];      /* DNS_BOGUS */
};
void dns_question_clear(struct dns_question *q);

/* All at once; the deadline is a clock_monotonic_ms. Refusals are of ours alone: the fate of each
 * question says the rest. */
bool dns_ask(struct dns *dns, struct dns_question *v, size_t n, int64_t deadline, struct problem *p) must_use;
/* Why a question has no answer, in words for the one who runs that name. DNS; false. */
bool dns_refuse(const struct dns *dns, const struct dns_question *q, struct problem *p);
/* The addresses of the family that /etc/hosts has for the name, in its order; how many. None where
 * the options name resolvers. */
size_t dns_hosts(struct dns *dns, const char *name, int family, struct addr *ret, size_t max);
/* Whom it asks: "192.0.2.53", for messages. */
const char *dns_servers(const struct dns *dns);
/* Refuses what is not secure: of names that a profile wants signed. */
bool dns_check_secure(const struct dns_question *q, struct problem *p) must_use;

enum { DNS_FAMILY_MAX = 8 };
struct dns_addresses {
	struct addr v[2 * DNS_FAMILY_MAX]; /* IPv6 first (RFC 6724 prefers it) */
	size_t n;                          /* at least 1 */
};
/* What the hosts file has, or else AAAA and A, asked at once; more than DNS_FAMILY_MAX of either are
 * cut off. With secure each address must be proven by a trust anchor, which no file is. Refusals: DNS, in words for the
 * one who runs that name. */
bool dns_lookup(struct dns *dns, const char *name, bool secure, int64_t deadline, struct dns_addresses *ret,
                struct problem *p) must_use;
