/* Renewal: what the rows of tokens and certificates say of who asked over the API earlier. Internal to policy/. */
#pragma once

#include "policy/identifier.h"
#include "store/certificate.h"
#include "store/token.h"

/* The token that a row's identity, "token ID", names, as it is now. UNAUTHENTICATED. */
bool renewal_token(struct store *store, const char *text, int64_t now, struct token *ret, struct problem *p) must_use;
/* Of that token, whatever has become of it, what policies call `{identity}` alone; one that is gone has none. */
bool renewal_name(struct store *store, const char *text, struct token *ret, struct problem *p) must_use;
/* The names of a certificate that are identifiers. */
bool renewal_names(const struct certificate *certificate, struct identifiers *ret, struct problem *p) must_use;
