/* Issuance: the one way of a CSR through the gate, the CA and the store, for whatever the API issues. Internal
 * to admin/. */
#pragma once

#include "admin/api_call.h"
#include "policy/gate.h"

struct issuance {
	/* asked; borrowed */
	struct api *api;
	const struct profiles *profiles;
	const char *profile;
	const struct identity *identity;
	const char *from;                     /* address; NULL: none */
	int64_t now;
	struct bytes csr;                     /* DER; empty: it was refused already, and `parts` says why */
	const char *csr_field;                /* what a refusal of the CSR names: "csr" */
	struct gate_wish wish;
	struct record_list metadata;          /* struct certificate_metadata */
	const struct certificate *replaces;   /* the certificate that this renews, of the same names; NULL */
	/* answered; free with issuance_done */
	struct certificate certificate;
	struct request record;
};
void issuance_done(struct issuance *e);
declare_auto_value(issuance, issuance_done);

/* Judges, signs and stores. `parts` holds what was found wrong before; all of that and of what the gate finds comes
 * together in p, and a request that policy refused is kept as failed, with p->location leading to it.
 * parts is empty afterwards. */
bool issuance_run(struct issuance *e, struct problem *parts, struct problem *p) must_use;
