/* Enroll: what simpleenroll, simplereenroll and serverkeygen have in common: who asks, what for, the gate, the CA, the
 * inventory. One thread. Internal to est/. */
#pragma once

#include "est/waiting.h"

struct enrolling {
	struct est_call *call;
	struct identity *identity;
	struct buf body;                /* the CSR as it was sent */
	struct csr *sent;               /* what it says; its signature is for the gate to check */
	struct waiting waiting;
	const struct audit_fact *more;  /* what the event tells besides; NULL: nothing. Borrowed */
	struct certificate certificate; /* id "": people must approve it, and the reply says so */
};
void enrolling_done(struct enrolling *e);
declare_auto_value(enrolling, enrolling_done);

/* Who asks, and what for. */
bool enroll_begin(struct enrolling *e, bool renewal, struct problem *p) must_use;
/* Whether more can be asked for than what was given before. UNAUTHENTICATED. */
bool enroll_unspent(const struct enrolling *e, struct problem *p) must_use;
/* Before the server makes a key of that algorithm: what is refused whatever the key, is refused here. ret_waits: people
 * have not decided yet about what was asked before, and the reply says so. */
bool enroll_foresee(struct enrolling *e, enum key_algorithm key, bool *ret_waits, struct problem *p) must_use;
/* A certificate for this CSR, which with made has a key of the server's. */
bool enroll_issue(struct enrolling *e, struct bytes csr, bool made, struct problem *p) must_use;
