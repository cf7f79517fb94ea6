/* Chain: what stands above a certificate, as PEM, made once for each issuer. Immutable; any thread. Internal
 * to admin/. */
#pragma once

#include "ca/ca.h"

struct api_chain {
	const char *issuer;       /* its id */
	struct buf issuing;       /* the issuing CA's certificate */
	struct buf chain;         /* it, and those above it, without the root: what a server sends */
	struct buf with_root;     /* the same with the root at its end */
};
struct api_chains {
	struct api_chain *v;
	size_t n;
};
bool api_chains_make(const struct ca *ca, struct api_chains *ret, struct problem *p) must_use;
/* NULL: no issuer of that id is loaded. */
const struct api_chain *api_chain_of(const struct api_chains *chains, const char *issuer);
void api_chains_free(struct api_chains *chains);
