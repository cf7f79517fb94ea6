#include "server/connection.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/acceptor.h"
#include "server/civetweb_seam.h"
#include "server/connection_wait.h"
#include "server/parking.h"
#include "server/tls.h"

enum { MOMENT_MS = 500 };  /* in which a client goes on that does not stop to compute */

static _Thread_local struct pool *own_pool;
static _Thread_local int own_bell = -1;
static _Thread_local struct connection *own; /* between two connections one that has no carrier */

void connection_join(struct pool *pool)
{
	own_pool = pool;
	own_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	own = calloc(1, sizeof(*own));
	assert(own); /* a process that has no memory for this as it starts ends */
}

void connection_leave(void)
{
	mem_close_p(&own_bell);
	free(steal(own));
}

struct connection *connection_current(void)
{
	return own && own->carrier ? own : NULL;
}

static void set_busy(struct connection *c, bool busy)
{
	if (c->busy != busy)
		pool_set_busy(c->pool, busy);
	c->busy = busy;
}

unsigned connection_allowance(const struct connection *c, enum connection_phase phase)
{
	const struct pool_options *o = pool_options(c->pool);

	switch (phase) {
	case CONNECTION_HANDSHAKE:
	case CONNECTION_HEAD: return o->header_ms;
	case CONNECTION_IDLE: return c->greeted ? o->keep_alive_ms : o->header_ms;
	case CONNECTION_BODY: return o->body_ms;
	case CONNECTION_REPLY: return o->reply_ms;
	}
	assert(false);
}

bool connection_has_nothing_in_hand(const struct connection *c)
{
	return c->phase == CONNECTION_IDLE || c->phase == CONNECTION_HANDSHAKE;
}

enum parked_kind connection_kind(const struct connection *c)
{
	return c->greeted ? PARKED_SERVED : c->begun ? PARKED_BEGUN : PARKED_SILENT;
}

static int64_t grace(const struct connection *c)
{
	if (connection_has_nothing_in_hand(c))
		return connection_kind(c) == PARKED_BEGUN ? MOMENT_MS : 0;
	return CONNECTION_GRACE_MS;
}

void connection_enter(struct connection *c, enum connection_phase phase)
{
	c->phase = phase;
	set_busy(c, !connection_has_nothing_in_hand(c));
	c->since = clock_monotonic_ms();
	c->deadline = c->last_deadline = c->since + connection_allowance(c, phase);
	c->due = c->since + grace(c);
	c->overdue = false;
	if (phase == CONNECTION_IDLE && !c->greeted && c->parked.kind == PARKED_BEGUN)
		parked_finish(pool_parked(c->pool), c->since);
}

void connection_enter_reply(struct connection *c, size_t size)
{
	connection_enter(c, CONNECTION_REPLY);
	c->last_deadline += (int64_t)(size / RATE_MIN);
	c->taken = -1;
}

static bool peer_of(int fd, struct addr *ret)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	return getpeername(fd, (struct sockaddr *)&sa, &len) == 0 && addr_from_sockaddr((struct sockaddr *)&sa, ret);
}

bool connection_begin(struct mg_connection *carrier)
{
	if (!own->carrier)
		connection_resume(carrier);
	struct connection *c = own;
	if (c->carrier)
		return !c->turned_away;
	*c = (struct connection){ .pool = own_pool, .carrier = carrier, .answered = true };
	c->member.bell = own_bell;
	bool known = peer_of(seam_fd(carrier), &c->member.peer); /* no longer connected: nothing to serve */
	c->turned_away = !pool_enter(own_pool, &c->member) || !known;
	if (c->turned_away)
		atomic_fetch_add(&pool_counters(own_pool)->refused, 1);
	connection_enter(c, CONNECTION_HANDSHAKE);
	return !c->turned_away;
}

void *connection_resume(struct mg_connection *carrier)
{
	struct connection *c = seam_had_seat(carrier) ? parking_take(own_pool, seam_fd(carrier)) : NULL;

	if (!c)
		return NULL;
	free(own);
	own = c;
	c->carrier = carrier;
	c->member.bell = own_bell;
	if (c->parked.kind == PARKED_SILENT)
		connection_enter(c, c->phase);
	else
		c->due = 0; /* its client has once kept a thread waiting */
	return seam_seat_return(steal(c->seat));
}

bool connection_parks(void)
{
	return own && own->carrier && own->parks;
}

/* false: it stays its thread's, which ends it. */
static bool park(struct connection *c)
{
	auto_free struct connection *next = calloc(1, sizeof(*next));

	if (!next || !parking_put(c))
		return false;
	own = steal(next);
	return true;
}

void connection_end(void)
{
	struct connection *c = own;
	if (!c->carrier) { /* civetweb gave it up before it began */
		pool_gave_up(own_pool);
		return;
	}
	set_busy(c, false);
	if (c->parks && park(c))
		return;
	pool_leave(c->pool, &c->member);
	tls_peer_free(steal(c->tls));
	c->carrier = NULL;
}

void connection_accepted(void)
{
	pool_accepted(own_pool);
}

void connection_shakes_hands(void)
{
	if (!own->begun)
		own->due = clock_monotonic_ms() + MOMENT_MS;
	own->begun = true;
}

void *connection_context(const struct mg_connection *carrier)
{
	const struct pool_options *o = pool_options(own_pool);

	return o->context(o->user, carrier);
}

/* data is what follows the bytes of the head that were fed before. */
static void arrive(struct connection *c, struct bytes data)
{
	if (c->phase == CONNECTION_IDLE) {
		connection_enter(c, CONNECTION_HEAD);
		c->answered = false;
	}
	if (c->phase == CONNECTION_HEAD)
		head_feed(&c->head, data.data, data.len);
	if (c->phase == CONNECTION_BODY)
		c->due += (int64_t)(data.len / RATE_MIN);
}

void connection_received(size_t n)
{
	struct bytes before = seam_received(own->carrier); /* civetweb has not counted the n yet */

	arrive(own, BYTES(before.data + before.len, n));
}

void connection_next(struct connection *c, struct bytes rest)
{
	c->head = (struct head){0};
	c->greeted = true;
	connection_enter(c, CONNECTION_IDLE);
	if (rest.len > 0)
		arrive(c, rest);
}

bool connection_has_spoken(struct mg_connection *carrier)
{
	struct pollfd fd = { .fd = seam_fd(carrier), .events = POLLIN };
	int found = 0;

	if (!connection_begin(carrier))
		return false;
	while (found == 0)
		found = connection_wait(own, &fd, INT_MAX);
	return found > 0;
}

int connection_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (connection_current())
		return connection_wait(own, &fds[0], timeout_ms);
	return own_pool ? acceptor_wait(own_pool, fds, n, timeout_ms) : poll(fds, n, timeout_ms);
}
