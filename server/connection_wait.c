#include "server/connection_wait.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/civetweb_seam.h"

enum {
	GRACE_LEAST_MS = 250,       /* a packet that was lost is sent again by then */
	LINGER_LEAST_MS = 100,      /* for a client to take its reply before the connection is cut */
	FULL_MS = 50,               /* until one asks again for a place to park */
};

/* Bytes that the client's system has taken since the connection began. A socket is writable anew only when much of its
 * buffer has been taken: that says too little. */
static int64_t taken(const struct connection *c)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return getsockopt(seam_fd(c->carrier), IPPROTO_TCP, TCP_INFO, &info, &len) == 0
	               ? (int64_t)info.tcpi_bytes_acked
	               : 0;
}

/* A client that takes some of its reply has reply_ms again, and keeps its thread for what that takes at RATE_MIN. */
static void look_at_reply(struct connection *c, int64_t now)
{
	int64_t before = c->taken, deadline = now + connection_allowance(c, CONNECTION_REPLY);

	c->taken = taken(c);
	if (before < 0 || c->taken <= before)
		return;
	c->due += (c->taken - before) / RATE_MIN;
	c->deadline = deadline < c->last_deadline ? deadline : c->last_deadline;
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
static int give_up(struct connection *c, const struct pollfd *fd)
{
	c->overdue = true;
	if (fd->events & POLLOUT)
		shutdown(fd->fd, SHUT_RDWR);
	return -1;
}

static int overdue(struct connection *c, const struct pollfd *fd)
{
	if (!c->overdue && c->phase != CONNECTION_IDLE)
		atomic_fetch_add(&pool_counters(c->pool)->timeouts, 1);
	return give_up(c, fd);
}

static int give_way(struct connection *c, const struct pollfd *fd)
{
	if (!pool_takes_thread(c->pool, &c->member))
		return 0;
	if (!c->overdue)
		atomic_fetch_add(&pool_counters(c->pool)->gave_way, 1);
	return give_up(c, fd);
}

/* Waits for as long as nobody else wants the thread; or, where there is no place to park, until there is. */
static int wait_idly(struct connection *c, struct pollfd *fd, int64_t now, int timeout_ms)
{
	bool lingers = pool_linger(c->pool, &c->member);
	bool room = !pool_is_draining(c->pool) && parked_has_room(pool_parked(c->pool), connection_kind(c), now);
	struct pollfd fds[] = {
		*fd,
		{ .fd = c->phase == CONNECTION_IDLE ? pool_drain_fd(c->pool) : pool_stop_fd(c->pool),
		  .events = POLLIN },
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
		{ .fd = c->phase == CONNECTION_IDLE ? pool_drain_fd(c->pool) : pool_stop_fd(c->pool),
		  .events = POLLIN },
		{ .fd = longer ? pool_relief_fd(c->pool) : -1, .events = POLLIN },
	};
	int found = poll_again(fds, array_length(fds), timeout_ms);

	fd->revents = fds[0].revents;
	if (found <= 0)
		return found;
	if (fds[0].revents)
		return 1;
	return fds[1].revents ? -1 : give_way(c, fd);
}

/* Until when a request keeps its thread waiting whatever others want: sooner where many do. */
static int64_t due(const struct connection *c)
{
	int64_t share = pool_share(c->pool, CONNECTION_GRACE_MS);
	return c->due - CONNECTION_GRACE_MS + (share > GRACE_LEAST_MS ? share : GRACE_LEAST_MS);
}

int connection_wait(struct connection *c, struct pollfd *fd, int timeout_ms)
{
	int64_t now = clock_monotonic_ms();

	if (c->turned_away || (c->phase == CONNECTION_HEAD && c->head.fault))
		return -1;
	if (c->phase == CONNECTION_REPLY)
		look_at_reply(c, now);
	if (now >= c->deadline)
		return overdue(c, fd);
	if (c->deadline - now < timeout_ms)
		timeout_ms = (int)(c->deadline - now);
	if (connection_has_nothing_in_hand(c) && now >= c->due && !(fd->events & POLLOUT))
		return wait_idly(c, fd, now, timeout_ms);
	bool longer = !connection_has_nothing_in_hand(c) && now >= due(c),
	     looks = !longer || c->phase == CONNECTION_REPLY;
	return wait_in_work(c, fd, looks && timeout_ms > GRACE_LEAST_MS ? GRACE_LEAST_MS : timeout_ms, longer);
}
