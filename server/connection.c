#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/civetweb_seam.h"
#include "server/tls.h"

enum { GRACE_MS = 100 };

struct pool {
	struct pool_options options;
	struct pool_counters counters;
	pthread_mutex_t lock;           /* guards the list */
	struct connection *first;
	int drain_fd, stop_fd;          /* readable once said, for good */
	int relief_fd;                  /* a semaphore: idle connections wanted to give way */
	atomic_bool draining;
	atomic_uint busy;
	atomic_uint waiting;            /* accepted, and no thread has begun it yet */
};

static _Thread_local struct pool *own_pool;
static _Thread_local struct connection own;

bool pool_new(const struct pool_options *options, struct pool **ret, struct problem *p)
{
	auto_struct(pool) *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return problem_memory(p);
	pool->options = *options;
	pthread_mutex_init(&pool->lock, NULL);
	pool->drain_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->relief_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (pool->drain_fd < 0 || pool->stop_fd < 0 || pool->relief_fd < 0)
		return problem_internal(p, "eventfd: %s", strerror(errno));
	*ret = steal(pool);
	return true;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	assert(!pool->first);
	close_fd(pool->drain_fd);
	close_fd(pool->stop_fd);
	close_fd(pool->relief_fd);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void pool_join(struct pool *pool)
{
	own_pool = pool;
}

static void say(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void pool_drain(struct pool *pool)
{
	atomic_store(&pool->draining, true);
	say(pool->drain_fd);
}

bool pool_is_draining(const struct pool *pool)
{
	return atomic_load(&pool->draining);
}

void pool_stop(struct pool *pool)
{
	pool_drain(pool);
	say(pool->stop_fd);
}

unsigned pool_busy(const struct pool *pool)
{
	return atomic_load(&pool->busy);
}

struct pool_counters *pool_counters(struct pool *pool)
{
	return &pool->counters;
}

struct connection *connection_current(void)
{
	return own.carrier ? &own : NULL;
}

static void set_busy(struct connection *c, bool busy)
{
	if (c->busy == busy)
		return;
	c->busy = busy;
	if (busy)
		atomic_fetch_add(&c->pool->busy, 1);
	else
		atomic_fetch_sub(&c->pool->busy, 1);
}

static unsigned allowance(const struct connection *c, enum connection_phase phase)
{
	const struct pool_options *o = &c->pool->options;

	switch (phase) {
	case CONNECTION_HANDSHAKE:
	case CONNECTION_HEAD: return o->header_ms;
	case CONNECTION_IDLE: return c->greeted ? o->keep_alive_ms : o->header_ms;
	case CONNECTION_BODY: return o->body_ms;
	case CONNECTION_REPLY: return o->reply_ms;
	}
	assert(false);
}

void connection_enter(struct connection *c, enum connection_phase phase)
{
	set_busy(c, phase != CONNECTION_IDLE && phase != CONNECTION_HANDSHAKE);
	c->phase = phase;
	c->since = clock_monotonic_ms();
	c->deadline = c->last_deadline = c->since + allowance(c, phase);
	c->overdue = false;
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

/* An IPv6 host owns its whole /64, and changes its address within it as it likes. */
static bool same_host(const struct addr *a, const struct addr *b)
{
	size_t len = a->family == AF_INET6 ? 8 : 4;

	return a->family == b->family && memcmp(a->byte, b->byte, len) == 0;
}

/* false: its host has as many connections as it may have. */
static bool enlist(struct pool *pool, struct connection *c)
{
	unsigned others = 0;

	pthread_mutex_lock(&pool->lock);
	for (const struct connection *other = pool->first; other; other = other->next)
		others += same_host(&other->peer, &c->peer);
	bool welcome = pool->options.per_address == 0 || others < pool->options.per_address;
	c->previous = NULL;
	c->next = pool->first;
	if (c->next)
		c->next->previous = c;
	pool->first = c;
	pthread_mutex_unlock(&pool->lock);
	return welcome;
}

static void delist(struct pool *pool, struct connection *c)
{
	pthread_mutex_lock(&pool->lock);
	*(c->previous ? &c->previous->next : &pool->first) = c->next;
	if (c->next)
		c->next->previous = c->previous;
	pthread_mutex_unlock(&pool->lock);
}

static bool peer_of(int fd, struct addr *ret)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	return getpeername(fd, (struct sockaddr *)&sa, &len) == 0 && addr_from_sockaddr((struct sockaddr *)&sa, ret);
}

bool connection_begin(struct mg_connection *carrier)
{
	struct connection *c = &own;

	if (c->carrier)
		return !c->turned_away;
	*c = (struct connection){ .pool = own_pool, .carrier = carrier, .answered = true };
	atomic_fetch_sub(&own_pool->waiting, 1);
	atomic_fetch_add(&own_pool->counters.connections, 1);
	atomic_fetch_add(&own_pool->counters.open, 1);
	bool known = peer_of(seam_fd(carrier), &c->peer); /* no longer connected: nothing to serve */
	c->turned_away = !enlist(own_pool, c) || !known;
	if (c->turned_away)
		atomic_fetch_add(&own_pool->counters.refused, 1);
	connection_enter(c, CONNECTION_HANDSHAKE);
	return !c->turned_away;
}

void connection_end(void)
{
	struct connection *c = &own;

	if (!c->carrier) { /* civetweb gave it up before it began */
		atomic_fetch_sub(&own_pool->waiting, 1);
		return;
	}
	set_busy(c, false);
	delist(c->pool, c);
	atomic_fetch_sub(&c->pool->counters.open, 1);
	tls_peer_free(steal(c->tls));
	c->carrier = NULL;
}

/* Where every thread is taken, one that only waits for its client's next request is wanted. */
void connection_accepted(void)
{
	struct pool *pool = own_pool;
	unsigned waiting = atomic_fetch_add(&pool->waiting, 1) + 1;

	if (waiting + atomic_load(&pool->counters.open) > pool->options.threads)
		say(pool->relief_fd);
}

void *connection_context(const struct mg_connection *carrier)
{
	return own_pool->options.context(own_pool->options.user, carrier);
}

static bool gives_way(struct pool *pool)
{
	uint64_t token;

	return read(pool->relief_fd, &token, sizeof(token)) == sizeof(token) && atomic_load(&pool->waiting) > 0;
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
		{ .fd = c->pool->stop_fd, .events = POLLIN },
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
		atomic_fetch_add(&c->pool->counters.timeouts, 1);
	c->overdue = true;
	if (fd->events & POLLOUT)
		shutdown(fd->fd, SHUT_RDWR);
	return -1;
}

/* A client is given the time to send what it came for, or its next request. */
static int64_t grace_left(const struct connection *c, int64_t now)
{
	return c->greeted ? c->since + GRACE_MS - now : INT64_MAX;
}

/* What the client sent comes before any wish to end the connection. */
static int connection_wait(struct connection *c, struct pollfd *fd, int timeout_ms)
{
	int64_t now = clock_monotonic_ms(), left = c->deadline - now, grace = grace_left(c, now);
	bool idle = c->phase == CONNECTION_IDLE;
	struct pollfd fds[] = {
		*fd,
		{ .fd = idle ? c->pool->drain_fd : c->pool->stop_fd, .events = POLLIN },
		{ .fd = idle && grace <= 0 ? c->pool->relief_fd : -1, .events = POLLIN },
	};

	if (c->turned_away || (c->phase == CONNECTION_HEAD && c->head.fault))
		return -1;
	if (left <= 0)
		return gets_on(c, now) ? 0 : overdue(c, fd);
	if (c->phase == CONNECTION_REPLY && c->queued < 0)
		c->queued = queued(c);
	if (idle && grace > 0 && grace < timeout_ms)
		timeout_ms = (int)grace;
	int found = poll_again(fds, array_length(fds), left < timeout_ms ? (int)left : timeout_ms);
	fd->revents = fds[0].revents;
	if (found <= 0)
		return found;
	c->moved = c->moved || (fds[0].revents & POLLOUT);
	if (fds[0].revents)
		return 1;
	return fds[1].revents || gives_way(c->pool) ? -1 : 0;
}

static int listening_wait(struct pool *pool, struct pollfd *listening, nfds_t n, int timeout_ms)
{
	struct pollfd fds[LISTENERS_MAX + 1];

	assert(n <= LISTENERS_MAX);
	memcpy(fds, listening, n * sizeof(*fds));
	fds[n] = (struct pollfd){ .fd = pool->stop_fd, .events = POLLIN };
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
