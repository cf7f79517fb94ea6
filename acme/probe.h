/* Probe: challenges in flight.
 *
 * A `struct probes` owns the queue, its threads and what they prove with; it borrows the wing. Each
 * challenge is in it at most once, from its response to its end, retries included. A challenge's
 * result is one update: challenge, authorization and orders. What is stored as processing is taken
 * up again by probes_open after a restart. No account and no host can have all the threads.
 * Thread-safe. Internal to acme/. */
#pragma once

#include "acme/state.h"

struct probe_request {
	const char *authorization, *challenge; /* id, and last segment of the URL */
	const char *account;
	const char *target;                    /* the identifier's value */
};
/* Begins, or joins what has begun; a challenge between two tries is tried again at once (8.2),
 * though not more often than every few seconds. Then waits up to wait_ms for the try that runs.
 * ret_stored: the store tells how it went; otherwise it goes on. UNAVAILABLE when there are too
 * many, of all or of this account. */
bool probes_begin(struct probes *probes, const struct probe_request *request, int64_t wait_ms,
                  bool *ret_stored, struct problem *p) must_use;
/* Seconds, 1 to 60, after which asking for the challenge can show something new. */
int probes_retry_after(struct probes *probes, const char *authorization, const char *challenge);
/* CAA for all these names as validations see it, on the caller's thread; within the time of one try. */
struct caa_subject;
/* A place among those who wait for CAA at once; false: there is none. Each is given back. */
bool probes_caa_begin(struct probes *probes) must_use;
void probes_caa_end(struct probes *probes);
bool probes_caa(struct probes *probes, const struct caa_subject *v, size_t n, struct problem *p) must_use;
size_t probes_count(struct probes *probes); /* challenges in flight, for tests */
