#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/civetweb_seam.h"
#include "server/tls.h"

enum {
	TURN_MS = 1000,             /* several requests for one handshake, which costs as much as they do */
	IDLE_GRACE_MS = 100,
	BEGIN_GRACE_MS = 2000,
	HANDSHAKE_GRACE_MS = 5000,  /* a device without hardware for it computes for seconds */
};

static _Thread_local struct pool *own_pool;
static _Thread_local struct connection own;

void connection_join(struct pool *pool)
{
	own_pool = pool;
}

struct connection *connection_current(void)
{
	return own.carrier ? &own : NULL;
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

/* How long a client may still keep a thread waiting that another needs: the next request of one
 * that was served may be on its way; one that has begun nothing, or goes no further, has had time. */
static int64_t grace(const struct connection *c, enum connection_phase phase)
{
	switch (phase) {
	case CONNECTION_IDLE: return c->greeted ? IDLE_GRACE_MS : BEGIN_GRACE_MS;
	case CONNECTION_HANDSHAKE:
	case CONNECTION_HEAD:
	case CONNECTION_BODY: return BEGIN_GRACE_MS;
	case CONNECTION_REPLY: break;
	}
	return INT32_MAX;
}

void connection_enter(struct connection *c, enum connection_phase phase)
{
	bool waits = phase == CONNECTION_IDLE || phase == CONNECTION_HANDSHAKE;

	set_busy(c, !waits);
	c->phase = phase;
	c->since = clock_monotonic_ms();
	c->deadline = c->last_deadline = c->since + allowance(c, phase);
	c->due = c->since + grace(c, phase) - (waits && !c->begun && !c->greeted ? c->silent : 0);
	c->overdue = false;
}

void connection_enter_body(struct connection *c, size_t size)
{
	connection_enter(c, CONNECTION_BODY);
	c->due += (int64_t)(size / RATE_MIN);
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

/* How long a client has said nothing since the system took its connection; 0: it has said something. */
static int64_t silent_ms(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int n;

	if (ioctl(fd, SIOCINQ, &n) != 0 || n > 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return info.tcpi_last_data_recv;
}

bool connection_begin(struct mg_connection *carrier)
{
	struct connection *c = &own;

	if (c->carrier)
		return !c->turned_away;
	*c = (struct connection){ .pool = own_pool, .carrier = carrier, .answered = true };
	bool known = peer_of(seam_fd(carrier), &c->member.peer); /* no longer connected: nothing to serve */
	c->turned_away = !pool_enter(own_pool, &c->member) || !known;
	if (c->turned_away)
		atomic_fetch_add(&pool_counters(own_pool)->refused, 1);
	if (pool_is_crowded(own_pool))
		c->silent = silent_ms(seam_fd(carrier));
	connection_enter(c, CONNECTION_HANDSHAKE);
	c->born = c->since;
	return !c->turned_away;
}

bool connection_had_its_turn(const struct connection *c)
{
	return pool_is_crowded(c->pool) && clock_monotonic_ms() - c->born >= TURN_MS;
}

void connection_end(void)
{
	struct connection *c = &own;

	if (!c->carrier) { /* civetweb gave it up before it began */
		pool_gave_up(own_pool);
		return;
	}
	set_busy(c, false);
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
	if (!own.begun)
		own.due = own.since + HANDSHAKE_GRACE_MS;
	own.begun = true;
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
}

void connection_received(size_t n)
{
	struct bytes before = seam_received(own.carrier); /* civetweb has not counted the n yet */

	arrive(&own, BYTES(before.data + before.len, n));
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

/* What the client sent comes before any wish to end the connection. */
static int connection_wait(struct connection *c, struct pollfd *fd, int timeout_ms)
{
	int64_t now = clock_monotonic_ms(), left = c->deadline - now, kept = c->due - now;
	bool idle = c->phase == CONNECTION_IDLE;
	struct pollfd fds[] = {
		*fd,
		{ .fd = idle ? pool_drain_fd(c->pool) : pool_stop_fd(c->pool), .events = POLLIN },
		{ .fd = kept <= 0 ? pool_relief_fd(c->pool) : -1, .events = POLLIN },
	};

	if (c->turned_away || (c->phase == CONNECTION_HEAD && c->head.fault))
		return -1;
	if (left <= 0)
		return gets_on(c, now) ? 0 : overdue(c, fd);
	if (c->phase == CONNECTION_REPLY && c->queued < 0)
		c->queued = queued(c);
	if (kept > 0 && kept < timeout_ms)
		timeout_ms = (int)kept;
	int found = poll_again(fds, array_length(fds), left < timeout_ms ? (int)left : timeout_ms);
	fd->revents = fds[0].revents;
	if (found <= 0)
		return found;
	c->moved = c->moved || (fds[0].revents & POLLOUT);
	if (fds[0].revents)
		return 1;
	return fds[1].revents || gives_way(c) ? -1 : 0;
}

static int listening_wait(struct pool *pool, struct pollfd *listening, nfds_t n, int timeout_ms)
{
	struct pollfd fds[LISTENERS_MAX + 1];

	assert(n <= LISTENERS_MAX);
	memcpy(fds, listening, n * sizeof(*fds));
	fds[n] = (struct pollfd){ .fd = pool_stop_fd(pool), .events = POLLIN };
	int found = poll_again(fds, n + 1, timeout_ms);
	memcpy(listening, fds, n * sizeof(*fds));
	return found > 0 && fds[n].revents ? found - 1 : found;
}

int connection_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (own.carrier)
		return connection_wait(&own, &fds[0], timeout_ms);
	return own_pool ? listening_wait(own_pool, fds, n, timeout_ms) : poll(fds, n, timeout_ms);
}
