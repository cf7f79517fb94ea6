/* A web server for tests: one thread, loopback, a port of the kernel's choice. Each connection's
 * request line and headers are read, then the handler writes to the socket what it likes. */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_http {
	int fd;
	unsigned port;
	pthread_t thread;
	void (*handler)(struct fake_http *server, int fd, const char *request);
	void *arg;
	atomic_uint requests;
	char last[2048]; /* the last request, whole; read it when no request runs */
};

static inline void fake_http_send(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static inline void fake_http_one(struct fake_http *server, int fd)
{
	char request[sizeof(server->last)] = "";
	size_t len = 0;

	while (len < sizeof(request) - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t n = recv(fd, request + len, sizeof(request) - 1 - len, 0);
		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (request[0] == 0x16) /* a TLS handshake, at the wrong door */
			return;
	}
	memcpy(server->last, request, sizeof(request));
	atomic_fetch_add(&server->requests, 1);
	server->handler(server, fd, request);
}

static inline void *fake_http_run(void *arg)
{
	struct fake_http *server = arg;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		fake_http_one(server, fd);
		close(fd);
	}
	return NULL;
}

/* port 0: the kernel chooses. false: the address cannot be had here (no IPv6). */
static inline bool fake_http_start_at(struct fake_http *server, int family, unsigned port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	                            .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	                          .sin_port = htons((uint16_t)port) };
	struct sockaddr *sa = family == AF_INET6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t len = family == AF_INET6 ? sizeof(in6) : sizeof(in);
	int one = 1;

	server->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return false;
	setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(server->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(server->fd, sa, len) || listen(server->fd, 64) || getsockname(server->fd, sa, &len)) {
		close(server->fd);
		return false;
	}
	server->port = ntohs(family == AF_INET6 ? in6.sin6_port : in.sin_port);
	return pthread_create(&server->thread, NULL, fake_http_run, server) == 0;
}

static inline void fake_http_start(struct fake_http *server)
{
	bool started = fake_http_start_at(server, AF_INET, 0);

	assert(started);
}

static inline void fake_http_stop(struct fake_http *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* A listener at ::1 whose queue is full: who connects gets no answer. -1: there is no IPv6. Both are the caller's to
 * close. */
static inline int fake_http_full(unsigned port, int *ret_filler)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	                            .sin6_port = htons((uint16_t)port) };
	struct sockaddr *sa = (struct sockaddr *)&in6;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	*ret_filler = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, sa, sizeof(in6)) || listen(fd, 0) || connect(*ret_filler, sa, sizeof(in6))) {
		close(fd);
		return -1;
	}
	return fd;
}
