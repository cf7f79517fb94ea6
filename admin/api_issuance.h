/* Issuance: the one way of a CSR through the gate, the CA and the store, for whatever the API issues. Internal
 * to admin/. */
#pragma once

#include "admin/api_call.h"
#include "policy/gate.h"

enum { RENEW_AS_PROFILE = -1 };

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
	int64_t renew_before;                 /* seconds; 0: the server does not renew it; RENEW_AS_PROFILE */
	const char *renew_field;              /* where it was asked, and a refusal names it; NULL: it was not */
	bool by_server;                       /* it renews by itself: no refusal is kept as a request */
	struct request *approved;             /* the request that people have approved; borrowed */
	/* admin/managed.h: the server makes the key */
	bool managed, key_known;              /* key_known: it is the kept one of what is renewed */
	EVP_PKEY *key;
	struct buf made_csr;
	enum csr_signature signature;
	/* answered; free with issuance_done */
	bool pending;                         /* people must approve it: there is no certificate yet */
	struct certificate certificate;
	struct request record;
	/* the way there */
	uint8_t digest[32], key_hash[32];
	struct buf sealed;
	struct private_key private_key;
};
void issuance_done(struct issuance *e);
declare_auto_value(issuance, issuance_done);

/* Judges, signs and stores. `parts` holds what was found wrong before; all of that and of what the gate finds comes
 * together in p, and a request that policy refused is kept as failed, with p->location leading to it.
 * parts is empty afterwards. Where people must approve, the request is kept as pending, and that is success. */
bool issuance_run(struct issuance *e, struct problem *parts, struct problem *p) must_use;
/* The profile of an issuance, as its set has it; NULL: there is none. */
const struct profile *issuance_profile(const struct issuance *e);

/* admin/api_pending.c: puts the request of an issuance that people must approve. */
bool issuance_ask(struct issuance *e, struct problem *p) must_use;
/* Carries out what people have decided about requests of the API. */
bool api_pending_begin(struct api *api, struct problem *p) must_use;
/* Does so now, on the worker. */
void api_pending_kick(struct api *api);
