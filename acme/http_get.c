#include "acme/http_get.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "acme/http_reply.h"
#include "base/clock.h"

enum { HTTP_PORT = 80, READ_SIZE = 2048 };

static bool refuse(const struct fetch *get, const char *why, struct problem *p)
{
	char addr[ADDR_TEXT_SIZE];

	addr_format(&get->addr, addr);
	return problem_set(p, PROBLEM_CONNECTION, "%s port %u: %s", addr, get->port, why);
}

static bool is_late(int error)
{
	return error == EAGAIN || error == EINPROGRESS || error == ETIMEDOUT;
}

/* How long the socket's next call may take. */
static void allow(int fd, int what, int64_t ms)
{
	int64_t some = ms > 1 ? ms : 1;
	struct timeval t = { .tv_sec = some / 1000, .tv_usec = some % 1000 * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, what, &t, sizeof(t));
}

static bool open_connection(struct fetch *get, int fd, struct problem *p)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_sockaddr(&get->addr, get->port, &to);

	allow(fd, SO_SNDTIMEO, get->connect_ms);
	if (connect(fd, (const struct sockaddr *)&to, len) != 0)
		return refuse(get, is_late(errno) ? "no connection in time" : strerrordesc_np(errno), p);
	get->connected = true;
	return true;
}

static bool write_request(const struct fetch *get, const char *host, const char *path, struct buf *ret,
                          struct problem *p)
{
	buf_printf(ret, strchr(host, ':') ? "GET %s HTTP/1.1\r\nHost: [%s]" : "GET %s HTTP/1.1\r\nHost: %s",
	           path, host);
	if (get->port != HTTP_PORT)
		buf_printf(ret, ":%u", get->port);
	buf_add_str(ret, "\r\nUser-Agent: enrolld/" ENROLLD_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	return buf_check(ret, p);
}

/* It fits into the socket's buffer at once, or the other side is not worth waiting for. */
static bool send_request(const struct fetch *get, int fd, struct bytes request, struct problem *p)
{
	ssize_t n = send(fd, request.data, request.len, MSG_NOSIGNAL);

	return n == (ssize_t)request.len || refuse(get, n < 0 ? strerrordesc_np(errno) : "it takes no request", p);
}

static bool read_reply(struct fetch *get, int fd, int64_t deadline, struct problem *p)
{
	struct http_reply reply;
	uint8_t data[READ_SIZE];
	bool wanted = true;

	http_reply_begin(&reply, get);
	while (wanted) {
		int64_t left = deadline - clock_monotonic_ms();

		allow(fd, SO_RCVTIMEO, left);
		ssize_t n = left > 0 ? recv(fd, data, sizeof(data), 0) : -1;
		if (left <= 0 || (n < 0 && is_late(errno)))
			return refuse(get, "no whole answer in time", p);
		if (n < 0 && errno != EINTR)
			return refuse(get, strerrordesc_np(errno), p);
		if (n == 0)
			http_reply_end(&reply);
		wanted = n != 0 && (n < 0 || http_reply_feed(&reply, BYTES(data, (size_t)n)));
	}
	get->answered = reply.state == HTTP_REPLY_DONE;
	return get->answered || refuse(get, reply.fault, p);
}

bool http_get(struct fetch *get, const char *host, const char *path, struct problem *p)
{
	int64_t deadline = clock_monotonic_ms() + get->timeout_ms;
	auto_value(buf) request = {0};

	get->connected = get->answered = get->too_long = false;
	get->location[0] = '\0';
	get->status = 0;
	get->body_len = get->header_bytes = 0;
	if (!write_request(get, host, path, &request, p))
		return false;
	auto_fd int fd = socket(get->addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return problem_internal(p, "socket: %m");
	return open_connection(get, fd, p) && send_request(get, fd, buf_bytes(&request), p) &&
	       read_reply(get, fd, deadline, p);
}
