#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/civetweb_seam.h"
#include "server/tls.h"

enum {
	GRACE_MS = 2000,
	GRACE_LEAST_MS = 250,       /* a packet that was lost is sent again by then */
	MOMENT_MS = 500,            /* in which a client goes on that does not stop to compute */
	LINGER_LEAST_MS = 100,      /* for a client to take its reply before the connection is cut */
	FULL_MS = 50,               /* until one asks again for a place to park, or in the queue */
};

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

static unsigned allowance(const struct connection *c, enum connection_phase phase)
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

static bool has_nothing_in_hand(const struct connection *c)
{
	return c->phase == CONNECTION_IDLE || c->phase == CONNECTION_HANDSHAKE;
}

static enum parked_kind kind_of(const struct connection *c)
{
	return c->greeted ? PARKED_SERVED : c->begun ? PARKED_BEGUN : PARKED_SILENT;
}

static int64_t grace(const struct connection *c)
{
	if (has_nothing_in_hand(c))
		return kind_of(c) == PARKED_BEGUN ? MOMENT_MS : 0;
	return c->phase == CONNECTION_REPLY ? INT32_MAX : GRACE_MS;
}

void connection_enter(struct connection *c, enum connection_phase phase)
{
	c->phase = phase;
	set_busy(c, !has_nothing_in_hand(c));
	c->since = clock_monotonic_ms();
	c->deadline = c->last_deadline = c->since + allowance(c, phase);
	c->due = c->since + grace(c);
	c->overdue = false;
	if (phase == CONNECTION_IDLE && !c->greeted && c->parked.kind == PARKED_BEGUN)
		parked_finish(pool_parked(c->pool), c->since);
}

void connection_enter_reply(struct connection *c, size_t size)
{
	connection_enter(c, CONNECTION_REPLY);
	c->last_deadline += (int64_t)(size / RATE_MIN);
	c->queued = -1;
	c->moved = false;
}

/* Bytes that the other end has not taken yet. */
static int queued(const struct connection *c)
{
	int n;

	return ioctl(seam_fd(c->carrier), SIOCOUTQ, &n) == 0 ? n : 0;
}

/* Whether the client has taken anything of its reply lately; it is given as long again then. A
 * socket is writable anew only when much of its buffer has been taken, so less counts too. */
static bool gets_on(struct connection *c, int64_t now)
{
	int left = queued(c);
	bool moved = c->moved || left < c->queued;

	if (c->phase != CONNECTION_REPLY || !moved || now >= c->last_deadline)
		return false;
	c->moved = false;
	c->queued = left;
	c->deadline = now + allowance(c, CONNECTION_REPLY);
	if (c->deadline > c->last_deadline)
		c->deadline = c->last_deadline;
	return true;
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

/* --- parked */

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

/* false: it stays its thread's, which ends it. Once it is parked another thread may have it. */
static bool park(struct connection *c)
{
	struct parked_member *evicted = NULL;
	struct connection *next;

	c->seat = seam_leave(c->carrier);
	if (!c->seat)
		return false;
	if (!(next = calloc(1, sizeof(*next)))) {
		seam_seat_end(steal(c->seat));
		return false;
	}
	own = next;
	c->carrier = NULL;
	c->parks = false;
	c->parked.kind = kind_of(c);
	c->parked.fd = seam_seat_fd(c->seat);
	c->parked.since = clock_monotonic_ms();
	c->parked.deadline = c->deadline;
	if (c->parked.kind == PARKED_SILENT)
		c->parked.deadline += pool_options(c->pool)->keep_alive_ms;
	pool_park(c->pool);
	if (!parked_put(pool_parked(own_pool), &c->parked, &evicted))
		end_parked(c);
	if (evicted) {
		atomic_fetch_add(&pool_counters(own_pool)->gave_way, 1);
		end_parked(parked_connection(evicted));
	}
	return true;
}

void *connection_resume(struct mg_connection *carrier)
{
	struct parked_member *m;

	if (!seam_had_seat(carrier) || !(m = parked_take(pool_parked(own_pool), seam_fd(carrier))))
		return NULL;
	free(own);
	own = parked_connection(m);
	own->carrier = carrier;
	own->member.bell = own_bell;
	if (own->parked.kind == PARKED_SILENT)
		connection_enter(own, own->phase);
	else
		own->due = 0; /* its client has once kept a thread waiting */
	pool_unpark(own_pool);
	pool_gave_up(own_pool);
	return seam_seat_return(steal(own->seat));
}

bool connection_parks(void)
{
	return own && own->carrier && own->parks;
}

static void call_parked(struct pool *pool)
{
	struct parked_member *called[PARKED_BATCH];
	size_t n = parked_call(pool_parked(pool), called);

	for (size_t i = 0; i < n; i++) {
		bool first = called[i]->kind == PARKED_BEGUN; /* its turn had come */
		pool_accepted(pool);
		seam_seat_offer(parked_connection(called[i])->seat, first);
	}
}

/* Ends those whose deadline has come. */
static void sweep_parked(struct pool *pool, int64_t now)
{
	struct parked_member *overdue[PARKED_BATCH];
	size_t n;

	while ((n = parked_take_overdue(pool_parked(pool), now, overdue)) > 0)
		for (size_t i = 0; i < n; i++)
			end_parked(parked_connection(overdue[i]));
}

void connection_end_parked(struct pool *pool)
{
	struct parked_member *called;

	parked_close(pool_parked(pool));
	sweep_parked(pool, INT64_MAX);
	while ((called = parked_take(pool_parked(pool), -1))) {
		pool_gave_up(pool);
		end_parked(parked_connection(called));
	}
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

static int poll_again(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int found = poll(fds, n, timeout_ms);
	return found < 0 && errno == EINTR ? 0 : found;
}

void connection_linger(struct connection *c, size_t bytes_max, int ms_max)
{
	ms_max = pool_is_crowded(c->pool) && ms_max > LINGER_LEAST_MS ? LINGER_LEAST_MS : ms_max;
	int64_t until = clock_monotonic_ms() + ms_max;
	struct pollfd fds[] = {
		{ .fd = seam_fd(c->carrier), .events = POLLIN },
		{ .fd = pool_stop_fd(c->pool), .events = POLLIN },
	};
	uint8_t unwanted[4096];

	shutdown(fds[0].fd, SHUT_WR);
	for (int64_t left = ms_max; left > 0 && bytes_max >= sizeof(unwanted); left = until - clock_monotonic_ms()) {
		if (poll_again(fds, array_length(fds), (int)left) > 0 && fds[1].revents)
			return;
		ssize_t n = recv(fds[0].fd, unwanted, sizeof(unwanted), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
		bytes_max -= n > 0 ? (size_t)n : 0;
	}
}

/* A reader that has stopped reading keeps civetweb trying until its socket is dead. */
static int overdue(struct connection *c, const struct pollfd *fd)
{
	if (!c->overdue && c->phase != CONNECTION_IDLE)
		atomic_fetch_add(&pool_counters(c->pool)->timeouts, 1);
	c->overdue = true;
	if (fd->events & POLLOUT)
		shutdown(fd->fd, SHUT_RDWR);
	return -1;
}

static bool gives_way(struct connection *c)
{
	c->overdue = pool_takes_thread(c->pool, &c->member);
	if (c->overdue)
		atomic_fetch_add(&pool_counters(c->pool)->gave_way, 1);
	return c->overdue;
}

/* Waits for as long as nobody else wants the thread; or, where there is no place to park, until there is. */
static int wait_idly(struct connection *c, struct pollfd *fd, int64_t now, int timeout_ms)
{
	bool lingers = pool_linger(c->pool, &c->member);
	bool room = !pool_is_draining(c->pool) && parked_has_room(pool_parked(c->pool), kind_of(c), now);
	struct pollfd fds[] = {
		*fd,
		{ .fd = c->phase == CONNECTION_IDLE ? pool_drain_fd(c->pool) : pool_stop_fd(c->pool), .events = POLLIN },
		{ .fd = lingers ? c->member.bell : -1, .events = POLLIN },
	};

	if (!lingers)
		timeout_ms = room ? 0 : timeout_ms < FULL_MS ? timeout_ms : FULL_MS;
	int found = poll_again(fds, array_length(fds), timeout_ms);
	bool wanted = !lingers || pool_is_rung(c->pool, &c->member);
	fd->revents = fds[0].revents;
	c->parks = wanted && room && !fds[0].revents && !fds[1].revents;
	if (found > 0 && fds[0].revents) {
		if (wanted)
			pool_ring(c->pool); /* for another's thread */
		return 1;
	}
	return found < 0 || fds[1].revents || c->parks ? -1 : 0;
}

/* longer: it has had its time, and gives way where others wait. */
static int wait_in_work(struct connection *c, struct pollfd *fd, int timeout_ms, bool longer)
{
	struct pollfd fds[] = {
		*fd,
		{ .fd = c->phase == CONNECTION_IDLE ? pool_drain_fd(c->pool) : pool_stop_fd(c->pool), .events = POLLIN },
		{ .fd = longer ? pool_relief_fd(c->pool) : -1, .events = POLLIN },
	};
	int found = poll_again(fds, array_length(fds), timeout_ms);

	fd->revents = fds[0].revents;
	if (found <= 0)
		return found;
	c->moved = c->moved || (fds[0].revents & POLLOUT);
	if (fds[0].revents)
		return 1;
	return fds[1].revents || gives_way(c) ? -1 : 0;
}

/* Until when a request keeps its thread waiting whatever others want: sooner where many do. */
static int64_t due(const struct connection *c)
{
	int64_t share = pool_share(c->pool, GRACE_MS);
	return c->due - GRACE_MS + (share > GRACE_LEAST_MS ? share : GRACE_LEAST_MS);
}

/* What the client sent comes before any wish to end the connection. */
static int connection_wait(struct connection *c, struct pollfd *fd, int timeout_ms)
{
	int64_t now = clock_monotonic_ms(), left = c->deadline - now;

	if (c->turned_away || (c->phase == CONNECTION_HEAD && c->head.fault))
		return -1;
	if (left <= 0)
		return gets_on(c, now) ? 0 : overdue(c, fd);
	if (left < timeout_ms)
		timeout_ms = (int)left;
	if (has_nothing_in_hand(c) && now >= c->due && !(fd->events & POLLOUT))
		return wait_idly(c, fd, now, timeout_ms);
	if (c->phase == CONNECTION_REPLY && c->queued < 0)
		c->queued = queued(c);
	bool longer = !has_nothing_in_hand(c) && now >= due(c), looks = !longer && c->phase != CONNECTION_REPLY;
	return wait_in_work(c, fd, looks && timeout_ms > GRACE_LEAST_MS ? GRACE_LEAST_MS : timeout_ms, longer);
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

/* For the thread that accepts. */
static void look_after_parked(struct pool *pool)
{
	call_parked(pool);
	if (pool_is_draining(pool))
		parked_close(pool_parked(pool));
	sweep_parked(pool, pool_is_draining(pool) ? INT64_MAX : clock_monotonic_ms());
}

/* Returns how many of the listening sockets have something. */
static int listening_wait(struct pool *pool, struct pollfd *listening, nfds_t n, int timeout_ms)
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
	int found = poll_again(fds, n + 3, timeout_ms);
	for (nfds_t i = 0; i < n; i++)
		listening[i].revents = fds[i].revents;
	for (nfds_t i = n; found > 0 && i < n + 3; i++)
		found -= fds[i].revents != 0;
	if (fds[n].revents || fds[n + 2].revents)
		look_after_parked(pool);
	return found;
}

int connection_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (connection_current())
		return connection_wait(own, &fds[0], timeout_ms);
	return own_pool ? listening_wait(own_pool, fds, n, timeout_ms) : poll(fds, n, timeout_ms);
}
