/* Guard: slows who guesses, by the address that he guesses from and by the user whose password it is.
 *
 * What cannot be guessed (a code, a device's secret, a certificate) is never refused for the failures of others, so
 * nobody can lock a device out. A person's password is: after many failures for one user from everywhere, it
 * counts for a while only from addresses that it was right from within a day. Nothing ever locks for good: the
 * buckets fill again. Bounded in memory; any thread. */
#pragma once

#include "base/addr.h"

struct guard;
bool guard_open(struct guard **ret, struct problem *p) must_use;
void guard_close(struct guard *guard);
declare_auto_struct(guard, guard_close);

/* Whether one more password of this user may be tried from there. RATE_LIMITED. */
bool guard_allows(struct guard *guard, const struct addr *from, const char *user, struct problem *p) must_use;
/* Whether a request of somebody from there who proves nothing may be kept for people to decide about. RATE_LIMITED. */
bool guard_keeps(struct guard *guard, const struct addr *from, struct problem *p) must_use;
/* It was right. */
void guard_passed(struct guard *guard, const struct addr *from, const char *user);
/* Something was wrong, of the user, or, NULL, of nobody's. p, the refusal of it, becomes RATE_LIMITED where
 * there were too many. Returns false. */
bool guard_failed(struct guard *guard, const struct addr *from, const char *user, struct problem *p);
