/* Challenge error: what a challenge tells of the tries that failed (RFC 8555, 8.2). Internal to acme/. */
#pragma once

#include "base/bytes.h"

/* The problem of the newest try, with a subproblem for each of those before it and for itself, the oldest first; of
 * many tries the last ones. before: what the challenge told until now, as this made it; NULL: nothing. Appended. */
bool challenge_error_write(const char *before, const struct problem *p, struct buf *ret, struct problem *why) must_use;
