/* Subdomain: what a proof for a domain says of the names below it (RFC 9444). newOrder and the gate judge by
 * the same. Values; any thread. */
#pragma once

#include "policy/profile.h"
#include "store/authorization.h"

/* Whole labels are compared (7.2): "a.example.org" and "b.a.example.org" are below "example.org". */
bool subdomain_is_below(const char *name, const char *ancestor) must_use;
/* The next domain above a DNS name, "example.org" of "a.example.org"; NULL: there is none. */
const char *subdomain_above(const char *name);
/* Whether an authorization for an ancestor domain stands for the name, in that profile. Never for a wildcard name. */
bool subdomain_covers(const struct profile *profile, const struct authorization *authorization,
                      const struct identifier *name) must_use;
