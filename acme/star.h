/* Star: orders whose certificates the server renews by itself, as their accounts see them (RFC 8739, 3.1).
 * Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "policy/star.h"

/* Reads "auto-renewal" of a newOrder; none: ret stays. MALFORMED. */
bool star_take(const struct acme_call *call, const struct profile *profile, struct order_star *ret,
               struct problem *p) must_use;
/* The same for the order object; nothing for an order of another kind. */
void star_write(struct json_writer *w, const struct order_star *star);
/* "auto-renewal" of the directory's meta; nothing where the profile has no such orders. */
void star_write_meta(struct json_writer *w, const struct profile *profile);

/* In the update that stores the first certificate: what the renewals need, and the authorizations for as long as
 * they go on. ret_keep: until when the order is kept. The order borrows csr. */
bool star_begin(struct store_txn *txn, struct order *order, struct bytes csr, const struct certificate *first,
                int64_t retention, int64_t *ret_keep, struct problem *p) must_use;

/* acme/star_cancel.c: a POST to the order with a payload (3.1.2). */
bool star_cancel(struct acme_call *call, struct problem *p) must_use;

/* acme/star_renew.c: makes the certificates that are due, and begins doing so. ret_more: there may be more. */
bool acme_star_once(struct acme *acme, bool *ret_more, struct problem *p) must_use;
bool acme_star_begin(struct acme *acme, struct problem *p) must_use;
