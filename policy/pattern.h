/* Pattern: which names a rule means.
 *
 *   dns    "example.com" that name alone; "*.example.com" one label more (a wildcard name
 *          "*.example.com" included); "**.example.com" any number of labels more, and their wildcards; "*" every name
 *   ip     an address or network, "10.0.0.0/8"; "*"
 *   email  "user@example.com", "@example.com", "*"
 *   uri    a prefix ending in "*" (after the "/" that ends the host), or the whole text; "*"
 *   permanent-identifier, hardware-module   the identifier as it is ordered, "*" standing for any characters
 * Compared in canonical form. Values; any thread. */
#pragma once

#include "policy/identifier.h"

bool pattern_check(enum identifier_type type, const char *pattern, struct problem *p) must_use;
bool pattern_matches(enum identifier_type type, const char *pattern, const struct identifier *i) must_use;
/* "*" stands for any characters. Where cased is false, letters of ASCII are equal in either case. */
bool pattern_glob(const char *pattern, const char *text, bool cased) must_use;
/* Of a pattern with its type before it, "dns:**.example.com". */
bool pattern_typed_check(const char *pattern, struct problem *p) must_use;
bool pattern_typed_any(const char *const *patterns, size_t n, const struct identifier *i) must_use; /* any of them matches */
/* Matches, or names a host that the wildcard name i stands for: deny lists are held to this, since
 * a certificate for "*.example.com" serves a denied "secret.example.com" as well. */
bool pattern_touches(enum identifier_type type, const char *pattern, const struct identifier *i) must_use;
