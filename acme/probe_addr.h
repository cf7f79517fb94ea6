/* Probe address: which addresses a validation may connect to (RFC 8555, 10.4).
 *
 * The names that are validated, and where they redirect to, are chosen by clients: without this
 * judgement anybody with an account could make the server knock at its own back doors. Values; any
 * thread. Internal to acme/. */
#pragma once

#include "base/addr.h"

/* deny wins over allow, allow wins over the built-in denial, and the rest is allowed: networks of
 * private use are what a private PKI serves. Lists may be NULL. Refusal: CONNECTION, with the
 * address and the reason. */
bool probe_addr_check(const struct addr *a, const struct addr_list *allow, const struct addr_list *deny,
                      struct problem *p) must_use;
