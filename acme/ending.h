/* Ending: what becomes of all that an account has begun, once it is deactivated (RFC 8555, 7.3.6).
 *
 * The status of the account is what counts: no request is taken from that moment on, and nothing is stored for one that
 * came before it (acme/owner.h). The rest is cancelled by pages, each in an update of its own, so that an account with
 * very much does not keep others from writing. How far that is stands in the account's record. Internal to acme/. */
#pragma once

#include "acme/state.h"

/* The next page of the first account that has one, in one update. ret_more: there may be another. */
bool acme_ending_once(struct acme *acme, bool *ret_more, struct problem *p) must_use;
/* Begins the job that does so whenever there is one, also after a restart. */
bool acme_ending_begin(struct acme *acme, struct problem *p) must_use;
