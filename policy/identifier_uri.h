/* URIs as identifiers (RFC 3986): absolute, with a plain host and without dot segments, or a URN (RFC 8141). Internal
 * to policy/identifier.c. Any thread. */
#pragma once

#include "policy/identifier.h"

/* Checks value and writes its canonical form to ret->value. MALFORMED. */
bool identifier_uri(const char *value, struct identifier *ret, struct problem *p) must_use;
