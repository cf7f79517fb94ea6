/* Request: what somebody asked to be certified over the API, and what became of it. */
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
};
void request_free(struct request *request);
declare_auto_value(request, request_free);

bool store_request_get(struct store_txn *txn, const char *id, struct request *ret, struct problem *p) must_use;
/* New or changed; keeps the listings. */
bool store_request_put(struct store_txn *txn, const struct request *request, struct problem *p) must_use;
/* Newest first; of one state where state is not NULL (not for REQUEST_ISSUED, which has no index: MALFORMED). */
bool store_request_list(struct store_txn *txn, const enum request_state *state, const char *after, size_t limit,
                        struct store_page *ret, struct problem *p) must_use;
/* Deletes up to limit of those made before that time which no longer wait; ret_count says how many. */
bool store_request_sweep(struct store_txn *txn, int64_t before, size_t limit, size_t *ret_count, struct problem *p) must_use;
