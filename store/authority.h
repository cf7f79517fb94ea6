/* Authority: what the operators decided about a CA, one record for each that they decided something about. */
#pragma once

#include "store/record.h"
#include "store/store.h"

struct authority_state {
	void *memory;
	const char *name;        /* its id (ca/issuer.h) */
	int64_t disabled;        /* since when it issues nothing; 0: it does */
	const char *disabled_by; /* "operator NAME" */
};
void authority_state_free(struct authority_state *state);
declare_auto_value(authority_state, authority_state_free);

/* All zero but for the name where nothing was recorded yet; name is borrowed from the caller then. */
bool store_authority_get(struct store_txn *txn, const char *name, struct authority_state *ret,
                         struct problem *p) must_use;
bool store_authority_put(struct store_txn *txn, const struct authority_state *state, struct problem *p) must_use;
