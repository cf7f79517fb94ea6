/* Order: as its account sees it (RFC 8555, 7.1.3). Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "store/order.h"

/* The order of the URL, if it is the caller's, and its status as shown: what time has ended is
 * invalid, what is being finalized is processing. order is the caller's to free, always. */
bool order_load(const struct acme_call *call, struct order *ret, enum order_status *ret_status,
                struct problem *p) must_use;
/* Answers with the order; with Retry-After when it is processing. */
void order_reply(struct acme_call *call, int http_status, const struct order *order,
                 enum order_status status);
