/* Request: an order that waits in processing until people have approved it (store/request.h,
 * policy/consent.h). Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "store/order.h"

/* With the order claimed and the CSR judged good but for the approval: the order goes to processing, in one
 * update with the request. ret is the order as it is then, the caller's to free. */
bool request_ask(const struct acme_call *call, const struct order *order, struct bytes csr, struct order *ret,
                 struct problem *p) must_use;
/* Carries out what people have decided meanwhile: each approved request goes through the gate again and is
 * issued; the order of any other ends. One that cannot be issued for a fault of ours is tried again. Where CAA is to be
 * asked this happens on other threads (acme/later.h), soon after. */
bool acme_requests_once(struct acme *acme, struct problem *p) must_use;
/* Does so every second, on the sweeper's thread. */
bool acme_requests_begin(struct acme *acme, struct problem *p) must_use;
