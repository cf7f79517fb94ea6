#include "server/acceptor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "server/parking.h"

enum { FULL_MS = 50 }; /* until one asks again for room in the queue */

static void look_after_parked(struct pool *pool)
{
	parking_call(pool);
	if (pool_is_draining(pool))
		parked_close(pool_parked(pool));
	parking_sweep(pool, pool_is_draining(pool) ? INT64_MAX : clock_monotonic_ms());
}

int acceptor_wait(struct pool *pool, struct pollfd *listening, nfds_t n, int timeout_ms)
{
	bool draining = pool_is_draining(pool);
	struct pollfd fds[LISTENERS_MAX + 3];

	assert(n <= LISTENERS_MAX);
	memcpy(fds, listening, n * sizeof(*fds));
	if (pool_waiting(pool) + parked_count(pool_parked(pool), PARKED_SILENT) >= pool_options(pool)->queue) {
		for (nfds_t i = 0; i < n; i++)
			fds[i].fd = -1;
		timeout_ms = FULL_MS;
	}
	fds[n] = (struct pollfd){ .fd = parked_fd(pool_parked(pool)), .events = POLLIN };
	fds[n + 1] = (struct pollfd){ .fd = pool_stop_fd(pool), .events = POLLIN };
	fds[n + 2] = (struct pollfd){ .fd = draining ? -1 : pool_drain_fd(pool), .events = POLLIN };
	int found = poll(fds, n + 3, timeout_ms);
	if (found < 0)
		return errno == EINTR ? 0 : found;
	for (nfds_t i = 0; i < n; i++)
		listening[i].revents = fds[i].revents;
	for (nfds_t i = n; found > 0 && i < n + 3; i++)
		found -= fds[i].revents != 0;
	if (fds[n].revents || pool_is_draining(pool)) /* also when it was said between two calls */
		look_after_parked(pool);
	return found;
}
