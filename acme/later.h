/* Later: what waits for the network, away from the sweeper's thread, which must go on.
 *
 * A `struct work` of a few threads with a bounded queue; each thing is in it once at most, by its claim
 * (acme/claim.h). Internal to acme/. */
#pragma once

#include "acme/state.h"

typedef bool later_job(struct acme *acme, const char *id, struct problem *p);

bool later_begin(struct acme *acme, struct problem *p) must_use;
void later_end(struct acme *acme); /* drops what has not begun, and waits for what runs */
/* Runs job for that id soon; its failure is logged as that event. One that is under way already is left to that.
 * UNAVAILABLE when too many wait. */
bool later_do(struct acme *acme, const char *event, const char *id, later_job *job, struct problem *p) must_use;
/* How many can be under way at once: whoever looks for what is due looks further than these. */
enum { LATER_MAX = 64 };
