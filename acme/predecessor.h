/* Predecessor: the certificate that an order is to replace (RFC 9773, 5). Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "policy/identifier.h"
#include "store/certificate.h"
#include "store/order.h"

/* What newOrder says: it must be a certificate of the same account that shares a name with the order and that no
 * other order replaces which is not invalid. ret_due: its time to be renewed has come. MALFORMED for what is unknown
 * as well, UNAUTHORIZED, ALREADY_REPLACED; each text has the word "replaces", by which clients know what to leave
 * out. */
bool predecessor_check(const struct acme_call *call, const char *replaces, const struct identifier *names, size_t n,
                       bool *ret_due, struct problem *p) must_use;
/* In the update that stores the new order: from now on no other replaces it, until this one ends without a
 * certificate. Nothing where the order replaces none. */
bool predecessor_mark(struct store_txn *txn, const struct acme_call *call, const struct order *order,
                      struct problem *p) must_use;

/* Before the order is issued, and in the update that stores its certificate: its id goes to ret, "" where there is
 * none. ALREADY_REPLACED. */
bool predecessor_find(struct store_txn *txn, const struct ca *ca, const struct order *order, int64_t now,
                      char ret[RANDOM_ID_SIZE], struct problem *p) must_use;
