#include "base/outbound.h"

#include <assert.h>

enum { FIRST_MAX_MS = 3000 };

struct denial {
	const char *net, *why;
};

/* Never a host that somebody else enrolls: the machine itself, its link, groups, and the addresses
 * at which clouds answer their machines' questions for credentials. */
static const struct denial denials[] = {
	{ "0.0.0.0/8", "this host" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local" },
	{ "224.0.0.0/4", "multicast" },
	{ "240.0.0.0/4", "reserved" },
	{ "100.100.100.200/32", "cloud metadata" },
	{ "168.63.129.16/32", "cloud metadata" },
	{ "192.0.0.192/32", "cloud metadata" },
	{ "::/128", "unspecified" },
	{ "::1/128", "loopback" },
	{ "100::/64", "discard" },
	{ "2001::/32", "Teredo" }, /* RFC 4380: through relays, to whatever IPv4 address a tunnel ends at */
	{ "fe80::/10", "link-local" },
	{ "fec0::/10", "site-local" },
	{ "ff00::/8", "multicast" },
	{ "fd00:ec2::/32", "cloud metadata" },
	{ "fd20:ce::254/128", "cloud metadata" },
};

/* Networks of private use: RFC 1918, RFC 6598, RFC 4193, and those that lead nowhere. */
static const struct denial inside[] = {
	{ "10.0.0.0/8", "private" },
	{ "172.16.0.0/12", "private" },
	{ "192.168.0.0/16", "private" },
	{ "100.64.0.0/10", "private" },
	{ "192.0.0.0/24", "private" },
	{ "198.18.0.0/15", "private" },
	{ "fc00::/7", "private" },
};

/* IPv6 networks whose addresses lead to an IPv4 address that stands in them. */
static const struct {
	const char *net;
	size_t at; /* its first byte */
} carriers[] = {
	{ "::/96", 12 },        /* IPv4-compatible, RFC 4291, 2.5.5.1 */
	{ "::ffff:0:0:0/96", 12 }, /* IPv4-translated, RFC 2765 */
	{ "64:ff9b::/96", 12 }, /* NAT64, RFC 6052 */
	{ "64:ff9b:1::/48", 12 }, /* NAT64 of the network's own, RFC 8215, in its prefixes of 96 bits */
	{ "2002::/16", 2 },     /* 6to4, RFC 3056 */
};

static bool has(const char *text, const struct addr *a)
{
	struct addr_net net;
	bool parsed = addr_net_parse(text, &net);

	assert(parsed);
	return addr_net_has(&net, a);
}

static const char *denied(const struct outbound_rules *rules, const struct addr *a)
{
	for (size_t i = 0; i < array_length(denials); i++)
		if (has(denials[i].net, a))
			return denials[i].why;
	for (size_t i = 0; rules->private_denied && i < array_length(inside); i++)
		if (has(inside[i].net, a))
			return inside[i].why;
	return NULL;
}

/* The IPv4 address inside, if a is of such a network. */
static bool carried(const struct addr *a, struct addr *ret)
{
	if (a->family != AF_INET6)
		return false;
	for (size_t i = 0; i < array_length(carriers); i++) {
		if (!has(carriers[i].net, a))
			continue;
		*ret = (struct addr){ .family = AF_INET };
		memcpy(ret->byte, a->byte + carriers[i].at, 4);
		return true;
	}
	return false;
}

static bool refuse(const struct addr *a, const char *why, struct problem *p)
{
	char text[ADDR_TEXT_SIZE];

	addr_format(a, text);
	return problem_set(p, PROBLEM_CONNECTION, "this server does not connect to %s (%s)", text, why);
}

static bool is_in(const struct addr_list *list, const struct addr *a)
{
	return list && addr_list_has(list, a);
}

bool outbound_check(const struct outbound_rules *rules, const struct addr *a, struct problem *p)
{
	struct addr inner;
	bool carries = carried(a, &inner);
	const char *why;

	if (is_in(rules->deny, a) || (carries && is_in(rules->deny, &inner)))
		return refuse(a, "denied by configuration", p);
	if (is_in(rules->allow, a))
		return true;
	if (is_in(rules->own, a) || (carries && is_in(rules->own, &inner)))
		return refuse(a, "its own listener", p);
	why = denied(rules, a);
	if (!why && carries)
		why = denied(rules, &inner);
	return why ? refuse(a, why, p) : true;
}

bool outbound_pick(const struct outbound_rules *rules, const struct addr *list, size_t n, int family,
                     struct addr *ret, struct problem *p)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].family != family || !outbound_check(rules, &list[i], p))
			continue;
		*ret = list[i];
		return true;
	}
	return false;
}

const char *outbound_denied_net(size_t i)
{
	const size_t n = array_length(denials);

	return i < n ? denials[i].net : i - n < array_length(carriers) ? carriers[i - n].net : NULL;
}

int64_t outbound_first_ms(int64_t left_ms)
{
	return left_ms / 2 < FIRST_MAX_MS ? left_ms / 2 : FIRST_MAX_MS;
}
