#include "server/parking.h"

#include <stddef.h>

#include "base/clock.h"
#include "server/civetweb_seam.h"
#include "server/tls.h"

static struct connection *parked_connection(struct parked_member *m)
{
	return (struct connection *)(void *)((char *)m - offsetof(struct connection, parked));
}

static void end_parked(struct connection *c)
{
	if (c->phase == CONNECTION_HANDSHAKE && clock_monotonic_ms() >= c->deadline)
		atomic_fetch_add(&pool_counters(c->pool)->timeouts, 1);
	pool_unpark(c->pool);
	pool_leave(c->pool, &c->member);
	tls_peer_free(c->tls);
	seam_seat_end(c->seat);
	free(c);
}

bool parking_put(struct connection *c)
{
	struct pool *pool = c->pool;
	struct parked_member *evicted = NULL;

	c->seat = seam_leave(c->carrier);
	if (!c->seat)
		return false;
	c->carrier = NULL;
	c->parks = false;
	c->parked.kind = connection_kind(c);
	c->parked.fd = seam_seat_fd(c->seat);
	c->parked.since = clock_monotonic_ms();
	c->parked.deadline = c->deadline;
	if (c->parked.kind == PARKED_SILENT)
		c->parked.deadline += pool_options(pool)->keep_alive_ms;
	pool_park(pool);
	if (!parked_put(pool_parked(pool), &c->parked, &evicted))
		end_parked(c);
	if (evicted) {
		atomic_fetch_add(&pool_counters(pool)->gave_way, 1);
		end_parked(parked_connection(evicted));
	}
	return true;
}

struct connection *parking_take(struct pool *pool, int fd)
{
	struct parked_member *m = parked_take(pool_parked(pool), fd);

	if (!m)
		return NULL;
	pool_unpark(pool);
	pool_gave_up(pool);
	return parked_connection(m);
}

void parking_call(struct pool *pool)
{
	struct parked_member *called[PARKED_BATCH];
	size_t n = parked_call(pool_parked(pool), called);

	for (size_t i = 0; i < n; i++) {
		bool first = called[i]->kind == PARKED_BEGUN; /* its turn had come */
		pool_accepted(pool);
		seam_seat_offer(parked_connection(called[i])->seat, first);
	}
}

void parking_sweep(struct pool *pool, int64_t now)
{
	struct parked_member *overdue[PARKED_BATCH];
	size_t n;

	while ((n = parked_take_overdue(pool_parked(pool), now, overdue)) > 0)
		for (size_t i = 0; i < n; i++)
			end_parked(parked_connection(overdue[i]));
}

void parking_close(struct pool *pool)
{
	struct parked_member *called;

	parked_close(pool_parked(pool));
	parking_sweep(pool, INT64_MAX);
	while ((called = parked_take(pool_parked(pool), -1))) {
		pool_gave_up(pool);
		end_parked(parked_connection(called));
	}
}
