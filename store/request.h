/* Request: what somebody asked to be certified over the API, or with people's approval, and what became of it.
 *
 * Who moves the state of one that waits: a method puts it as PENDING; people decide (policy/consent.h):
 * APPROVED, REJECTED, CANCELLED; the method that put it carries that out: ISSUED, or FAILED with the
 * reason; and time: EXPIRED. One that is decided and not yet carried out is due (store_request_due). */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

/* name, as it is written */
#define REQUEST_STATES(X)                                                               \
	X(PENDING, "pending") X(APPROVED, "approved") X(REJECTED, "rejected")            \
	X(CANCELLED, "cancelled") X(ISSUED, "issued") X(FAILED, "failed") X(EXPIRED, "expired")
enum request_state {
#define X(name, text) REQUEST_##name,
	REQUEST_STATES(X)
#undef X
	REQUEST_STATE_MAX,
};
const char *request_state_name(enum request_state state);
bool request_state_from(const char *name, enum request_state *ret) must_use;

struct request_decision {
	const char *by;                /* who, in words */
	bool approved;
	const char *reason;            /* NULL: none given */
	int64_t at;
};
struct request {
	void *memory;
	char id[RANDOM_ID_SIZE];
	enum request_state state;
	const char *profile;
	const char *method;            /* "api" */
	const char *identity;          /* who asked, in words */
	const char *from;              /* address the request came from; NULL: none */
	struct bytes csr_digest;       /* SHA-256 of the CSR; empty: the server made the key */
	int64_t created, ended;        /* ended 0: it waits */
	struct record_texts reasons;   /* why it was refused: one text a rule */
	char certificate[RANDOM_ID_SIZE]; /* "" unless issued */
	char replaces[RANDOM_ID_SIZE];    /* the certificate it renews; "" none */
	/* Of those that wait for people, else empty. */
	char account[RANDOM_ID_SIZE], order[RANDOM_ID_SIZE]; /* of ACME */
	const char *names;             /* what for, in words */
	struct bytes csr, key_hash;
	int64_t needed;                /* approvals */
	struct record_list decisions;  /* struct request_decision */
	int64_t expires;               /* when it ends undecided; of an ended one, when it is swept */
	bool due;                      /* once decided there is something to carry out */
	/* Of those of the API, what is in no CSR. */
	bool managed;                  /* the server makes the key when it issues: csr says what is asked for, its key nothing;
	                                  with key_hash it is for the kept key of that hash */
	bool by_server;                /* the server asks, to renew `replaces` */
	int64_t validity, not_before, not_after; /* as struct gate_wish */
	const char *hash;
	struct record_list metadata;   /* struct certificate_metadata */
	int64_t renew_before;          /* as struct certificate */
	bool key_waits;                /* issued, and the key is kept until who asked collects it */
	/* Of one whose client asks again and again (EST), else empty. */
	const char *label;
	struct bytes waiter;           /* SHA-256 by which it is found: policy/consent.h */
	struct bytes asked;            /* SHA-256 of what the CSR asks for: policy/csr.h */
};
void request_free(struct request *request);
declare_auto_value(request, request_free);

bool store_request_get(struct store_txn *txn, const char *id, struct request *ret, struct problem *p) must_use;
/* The request of an ACME order. */
bool store_request_by_order(struct store_txn *txn, const char *order, struct request *ret, struct problem *p) must_use;
/* The request of a client that asks again. */
bool store_request_by_waiter(struct store_txn *txn, struct bytes waiter, struct request *ret,
                             struct problem *p) must_use;
/* Some of those of a method that are decided and to be carried out. */
bool store_request_due(struct store_txn *txn, const char *method, size_t limit, struct strings *ret,
                       struct problem *p) must_use;
bool store_request_delete(struct store_txn *txn, const char *id, struct problem *p) must_use;
/* New or changed; keeps the listings. */
bool store_request_put(struct store_txn *txn, const struct request *request, struct problem *p) must_use;
/* Newest first; of one state where state is not NULL. A page of the issued, nearly all there are, is what a page of all
 * has of them: it can be short, and not the last. */
bool store_request_list(struct store_txn *txn, const enum request_state *state, const char *after, size_t limit,
                        struct store_page *ret, struct problem *p) must_use;
/* How many wait for people; counting ends at max. */
bool store_request_pending(struct store_txn *txn, size_t max, size_t *ret, struct problem *p) must_use;
/* Looks at up to limit of those made before that time, newest first, and deletes which no longer wait; ret_count says how
 * many. at: where it begins, "" at the newest; then where the next call goes on, "" where all have been looked at. */
bool store_request_sweep(struct store_txn *txn, int64_t before, size_t limit, char at[STORE_CURSOR_SIZE],
                         size_t *ret_count, struct problem *p) must_use;
