/* Probe result: what one try of a challenge needs from the store, and what it leaves there.
 * Internal to acme/. */
#pragma once

#include "acme/challenge.h"
#include "acme/order_state.h"

struct probe_result {
	const char *authorization, *url_key; /* borrowed: which challenge */
	/* probe_result_load */
	struct account account;
	struct authorization record;
	struct challenge challenge;   /* of the record */
	const char *task_type, *directory;
	char *key_authorization;      /* of the account's key as it is now (8.3) */
	struct buf thumbprints;
	struct probe_task task;
	int64_t until;                /* the proof's own end; 0: none */
	bool dropped;                 /* nobody waits for it: gone, ended, or the account is */
	/* the caller, after the probe */
	bool proven;
	bool last;                    /* the last try: failing it ends the challenge */
	struct problem problem;       /* why not proven */
	struct state_change change;   /* probe_result_time */
	struct bytes attested_key;    /* device-attest-01: for the authorization; empty: none */
	const char *attestation;
	/* what else the update says; NULL: nothing */
	bool (*tell)(struct store_txn *txn, const struct probe_result *r, struct problem *p);
	const void *told;             /* tell's own */
	/* probe_result_store */
	bool stale;                   /* the account's key has changed meanwhile: nothing is stored */
	struct buf error;             /* of this try; what the order tells */
	struct buf errors;            /* of all tries; what the challenge tells */
};
void probe_result_free(struct probe_result *r);
declare_auto_value(probe_result, probe_result_free);

bool probe_result_load(struct store *store, struct probe_result *r, struct problem *p) must_use;
/* Once proven, last and until are known: when what becomes of it ends. */
void probe_result_time(struct acme *acme, struct probe_result *r);
/* One update: challenge, authorization, orders. */
bool probe_result_store(struct store *store, struct probe_result *r, struct problem *p) must_use;
