/* Chain: what stands above a certificate, as PEM. Any thread. Internal to admin/. */
#pragma once

#include "ca/ca.h"

struct api_chain {
	struct buf issuing;       /* the issuing CA's certificate */
	struct buf chain;         /* it, and those above it, without the root: what a server sends */
	struct buf with_root;     /* the same with the root at its end */
};
/* Empty where no issuer of that id is loaded, or memory is out. issuer may be NULL. */
void api_chain_make(const struct ca *ca, const char *issuer, struct api_chain *ret);
void api_chain_free(struct api_chain *chain);
declare_auto_value(api_chain, api_chain_free);
