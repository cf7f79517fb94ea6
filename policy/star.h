/* Star: the dates of the certificates of an order that the server renews by itself (RFC 8739, 3.5). What makes them
 * and what judges them count by the same. Values; any thread. */
#pragma once

#include "policy/profile.h"
#include "store/order.h"

bool star_is(const struct order *order) must_use;
/* Whether the profile takes such an order, as it was asked for at `now`. MALFORMED. */
bool star_check(const struct profile *profile, const struct order_star *star, int64_t now, struct problem *p) must_use;

/* When the next one, star->count, is to be made; 0: there is none. */
int64_t star_due(const struct order_star *star);

struct star_dates {
	int64_t number;                   /* of the certificate, 0 the first */
	int64_t not_before, not_after;
};
/* The first one, made at `now`. */
void star_first(const struct profile *profile, const struct order_star *star, int64_t now, struct star_dates *ret);
/* The one that is to be current at `now`, after the first; those that were missed are left out. false: none is
 * due. */
bool star_next(const struct order_star *star, int64_t now, struct star_dates *ret) must_use;
