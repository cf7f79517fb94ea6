/* Order and CAA: what the owners of an order's names say right before it is issued. Internal to acme/. */
#pragma once

#include "acme/state.h"
#include "store/order.h"

/* For each identifier of the order once more, however young its authorization is, where the order's profile
 * wants it. CAA and DNS problems, one part for each name; UNAVAILABLE when too many wait for DNS already:
 * request threads are for requests. */
bool order_caa(struct acme *acme, const struct profiles *profiles, const struct order *order,
               struct problem *p) must_use;
/* Whether that profile, as it is now, wants it: then answers are waited for. */
bool order_caa_wanted(struct acme *acme, const char *profile) must_use;
