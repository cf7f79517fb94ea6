/* Outbound: which addresses this server connects to when others say where (RFC 8555, 10.4).
 *
 * The names that are validated, and where they redirect to, are chosen by clients: without this
 * judgement anybody with an account could make the server knock at its own back doors. Values; any
 * thread. */
#pragma once

#include "base/addr.h"

struct outbound_rules {
	const struct addr_list *allow, *deny; /* the configuration's; may be NULL */
	bool private_denied;                  /* networks of private use are denied too, unless allowed */
	const struct addr_list *own;          /* where this server itself listens on the port in question; may be NULL */
};
/* deny wins over allow, allow wins over the built-in denial and own, and the rest is allowed:
 * networks of private use are what a private PKI serves, so only private_denied denies them. Refusal: CONNECTION,
 * with the address and the reason. */
bool outbound_check(const struct outbound_rules *rules, const struct addr *a, struct problem *p) must_use;
/* The first of that family that passes; the problem says why the last one does not. */
bool outbound_pick(const struct outbound_rules *rules, const struct addr *list, size_t n, int family,
                     struct addr *ret, struct problem *p) must_use;
/* The networks of the built-in denial one after the other, then those whose addresses lead to an IPv4 address; NULL past
 * the end. For who must hand over a list: outbound_check looks at the address within. */
const char *outbound_denied_net(size_t i);
/* How long the connection to the first of two addresses may take, of the time that is left: the other is to have its
 * turn. */
int64_t outbound_first_ms(int64_t left_ms);
