/* Identity: who asks, outside ACME. Opaque; made here only, from facts that were proven.
 *
 * The operator's identity is for certificates that the server makes for itself (its TLS
 * certificate); EST and the API add theirs. Owned by its maker's caller. */
#pragma once

#include "policy/identifier.h"

struct identity;
/* The process's own operator, who may have the names that the configuration lists. */
bool identity_operator(const struct identifiers *names, struct identity **ret, struct problem *p) must_use;
const char *identity_text(const struct identity *identity);                  /* "operator" */
const struct identifiers *identity_names(const struct identity *identity);   /* what it proved */
const char *identity_method(const struct identity *identity);                /* "internal" */
void identity_free(struct identity *identity);
declare_auto_struct(identity, identity_free);
