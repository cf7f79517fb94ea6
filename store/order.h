/* Order: what an account asked for (RFC 8555, 7.1.3). */
#pragma once

#include "base/json.h"
#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

/* The last one is RFC 8739's, of an order whose certificate was renewed until then. */
enum order_status { ORDER_PENDING, ORDER_READY, ORDER_PROCESSING, ORDER_VALID, ORDER_INVALID, ORDER_CANCELED };
const char *order_status_name(enum order_status s);

/* An identifier as the client wrote it; policy/identifier.h gives its canonical form. */
struct order_identifier {
	const char *type;   /* "dns" */
	const char *value;  /* as sent: clients compare text */
};
/* A certificate that the server renews by itself (RFC 8739, 3.1.1). policy/star.h has the dates. */
struct order_star {
	int64_t lifetime;                 /* nominal, of each certificate, in seconds; 0: this is no such order */
	int64_t start, end;               /* start 0: as soon as it is valid */
	int64_t adjust;                   /* by which each is to be predated */
	bool get;                         /* anybody may fetch it */
	int64_t first;                    /* when the first one was nominally due */
	int64_t count;                    /* the number of the next one */
	int64_t due;                      /* when that is to be made, or tried again; 0: none is to come */
	struct bytes csr;                 /* which all are made from */
};
struct order {
	void *memory;
	char id[RANDOM_ID_SIZE];
	char account[RANDOM_ID_SIZE];
	const char *directory;
	const char *profile;
	bool profile_asked;               /* the client named it: echo it */
	enum order_status status;
	struct record_list identifiers;   /* struct order_identifier */
	struct record_texts authorizations; /* ids, one an identifier, same order */
	int64_t created, expires;
	int64_t not_before, not_after;    /* as asked; 0: not asked */
	const char *error;                /* problem document, JSON; NULL: none */
	struct bytes csr_digest;          /* SHA-256 of the accepted CSR */
	char certificate[RANDOM_ID_SIZE]; /* "" until valid */
	const char *replaces;             /* RFC 9773 */
	struct order_star star;
};
void order_free(struct order *order);
declare_auto_value(order, order_free);
/* The member "identifiers" (RFC 8555, 7.1.3). */
void order_put_identifiers(const struct order *order, struct json_writer *w);

bool store_order_get(struct store_txn *txn, const char *id, struct order *ret, struct problem *p) must_use;
/* New or changed; keeps the indexes by account, by authorization and by expiry. */
bool store_order_put(struct store_txn *txn, const struct order *order, struct problem *p) must_use;
/* An account's orders that are not invalid, newest first (7.1.2.1). after: "" or the last page's next. */
bool store_order_list(struct store_txn *txn, const char *account, const char *after, size_t limit,
                      struct store_page *ret, struct problem *p) must_use;
/* All of them, the oldest first. */
bool store_order_all(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                     struct problem *p) must_use;
/* Orders that wait on an authorization, or are renewed on the strength of it, up to limit. */
bool store_order_by_authorization(struct store_txn *txn, const char *authorization, size_t limit, struct strings *ret,
                                  struct problem *p) must_use;
/* How many those are; counting ends at max. */
bool store_order_count_waiting(struct store_txn *txn, const char *authorization, size_t max, size_t *ret,
                               struct problem *p) must_use;
/* Those whose next certificate is due (RFC 8739), soonest first. */
bool store_order_star_due(struct store_txn *txn, int64_t now, size_t limit, struct strings *ret,
                          struct problem *p) must_use;
bool store_order_delete(struct store_txn *txn, const char *id, struct problem *p) must_use;
