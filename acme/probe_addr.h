/* Probe address: which addresses a validation may connect to (RFC 8555, 10.4).
 *
 * The names that are validated, and where they redirect to, are chosen by clients: without this
 * judgement anybody with an account could make the server knock at its own back doors. Values; any
 * thread. Internal to acme/. */
#pragma once

#include "base/addr.h"

struct probe_rules {
	const struct addr_list *allow, *deny; /* the configuration's; may be NULL */
	const struct addr_list *own;          /* where this server itself listens on a probe's port; may be NULL */
};
/* deny wins over allow, allow wins over the built-in denial and own, and the rest is allowed:
 * networks of private use are what a private PKI serves. Refusal: CONNECTION, with the address and
 * the reason. */
bool probe_addr_check(const struct probe_rules *rules, const struct addr *a, struct problem *p) must_use;
/* The first of that family that passes; the problem says why the last one does not. */
bool probe_addr_pick(const struct probe_rules *rules, const struct addr *list, size_t n, int family,
                     struct addr *ret, struct problem *p) must_use;
