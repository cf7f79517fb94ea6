/* Consent: people who decide about a request (store/request.h), N of them for an approval.
 *
 * A person decides once; the rejection of one ends it. The functions change the record that they are given;
 * putting it into the store is the caller's, in the update in which it was read. Any thread. */
#pragma once

#include "base/digest.h"
#include "store/request.h"

struct consent {
	const char *by;                   /* who decides, in words */
	const char *reason;               /* NULL: none given */
	const struct strings *approvers;  /* who may; empty: anybody who may decide at all */
	int64_t now;
};
/* Room for the decisions of a request, which the record borrows until it is put, as it does the consent's texts. */
struct consent_room {
	struct request_decision *v; /* heap */
};
void consent_room_free(struct consent_room *room);
declare_auto_value(consent_room, consent_room_free);

/* APPROVED once there are as many as needed. CONFLICT: it is not pending, or he has decided already;
 * UNAUTHORIZED: he is none of the approvers; GONE: it has expired. */
bool consent_approve(struct request *request, const struct consent *consent, struct consent_room *room,
                     struct problem *p) must_use;
bool consent_reject(struct request *request, const struct consent *consent, struct consent_room *room,
                    struct problem *p) must_use;
/* Nobody decides about what he has asked for himself: UNAUTHORIZED where the request was made with a token of that
 * name, whichever of his tokens it was, or by a command of his. In the update in which it is decided. */
bool consent_check_other(struct store_txn *txn, const struct request *request, const char *by,
                         struct problem *p) must_use;
/* Takes it back, by who asked or who runs the server; one that is approved and not yet issued too. */
bool consent_cancel(struct request *request, const struct consent *consent, struct problem *p) must_use;
/* By what the request of a client that asks again is found: where it asks, who it is, and the key of its CSR, for the
 * CSR itself may be signed anew each time. */
void consent_waiter(const char *label, const char *identity, const uint8_t key_hash[SHA256_SIZE],
                    uint8_t ret[SHA256_SIZE]);
/* How many have approved. */
size_t consent_count(const struct request *request);
