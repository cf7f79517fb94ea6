/* Expiry: events of the audit log that tell of certificates which expire soon, or have, and that nothing has replaced.
 * Internal to admin/.
 *
 * Each profile says how long before. An event is given once for each certificate and each of these times, also across
 * restarts: what falls due by the passing of time is found in the index by expiry, what is due when it is issued or
 * imported in the audit log, and both marks move together with the events, in one update. */
#pragma once

#include "policy/profile.h"
#include "store/alert.h"

struct expiry_watch {
	bool loaded;
	struct alert_state now, saved;  /* saved: as the store has it */
};
/* What is due at `now`. ret_more: there is more, come again soon. One thread at a time. */
bool expiry_watch_run(struct expiry_watch *watch, struct store *store, const struct profiles *profiles, int64_t now,
                      bool *ret_more, struct problem *p) must_use;
