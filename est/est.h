/* EST (RFC 7030, 8951): the wing as the server sees it.
 *
 * A label is the name of a profile that is open to EST; without a label it is the default profile.
 * `struct est` owns its rate limit; it borrows store and CA, which live longer. Its http_wing serves
 * from any number of threads. */
#pragma once

#include "base/http.h"
#include "ca/ca.h"
#include "policy/profile.h"
#include "store/store.h"

struct est;
/* Takes a reference to profiles. */
bool est_open(struct store *store, struct ca *ca, struct profiles *profiles, struct est **ret, struct problem *p) must_use;
/* From the next request on, these profiles (SIGHUP). */
void est_set_profiles(struct est *est, struct profiles *profiles);
const struct http_wing *est_wing(struct est *est);
void est_close(struct est *est);
declare_auto_struct(est, est_close);
