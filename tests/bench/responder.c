#include "tests/bench/responder.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/bench/http_client.h"

enum { BUCKETS = 16384, WAYS = 4, TEXT = 128 };

struct slot {
	char token[TEXT], thumbprint[TEXT];
};
/* The oldest of a bucket goes first: by then it has been asked for. */
static struct bucket {
	struct slot slots[WAYS];
	unsigned next;
} buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct bucket *bucket_of(const char *token)
{
	uint32_t hash = 2166136261u;
	for (const char *c = token; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	return &buckets[hash % BUCKETS];
}

void responder_expect(const char *token, const char *thumbprint)
{
	pthread_mutex_lock(&lock);
	struct bucket *bucket = bucket_of(token);
	struct slot *slot = &bucket->slots[bucket->next++ % WAYS];
	snprintf(slot->token, sizeof slot->token, "%s", token);
	snprintf(slot->thumbprint, sizeof slot->thumbprint, "%s", thumbprint);
	pthread_mutex_unlock(&lock);
}

static int answer(const char *request, char *ret, size_t size)
{
	char token[TEXT] = "", body[2 * TEXT + 2] = "";
	if (sscanf(request, "GET /.well-known/acme-challenge/%127[A-Za-z0-9_-] ", token) != 1)
		return snprintf(ret, size, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	pthread_mutex_lock(&lock);
	const struct bucket *bucket = bucket_of(token);
	for (size_t i = 0; i < WAYS; i++)
		if (str_equal(bucket->slots[i].token, token))
			snprintf(body, sizeof body, "%s.%s", token, bucket->slots[i].thumbprint);
	pthread_mutex_unlock(&lock);
	return snprintf(ret, size, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", body[0] ? "200 OK" : "404 Not Found",
	                strlen(body), body);
}

static void *serve_connection(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char in[4096], out[1024];
	ssize_t n = read(fd, in, sizeof in - 1);
	if (n > 0) {
		in[n] = '\0';
		int length = answer(in, out, sizeof out);
		if (write(fd, out, (size_t)length) != length)
			fputs("bench: a probe did not read its answer\n", stderr);
	}
	close(fd);
	return NULL;
}

static void run(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, fn, arg))
		bench_fail("no thread");
	pthread_detach(thread);
}

/* A thread for each connection: some probes dial ahead and say nothing on one of two. */
static void *serve_http(void *arg)
{
	int listener = *(int *)arg;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			run(serve_connection, (void *)(intptr_t)fd);
	}
	return NULL;
}

/* A question comes back as its own answer, with one A record where one was asked for. */
static void *serve_dns(void *arg)
{
	static const uint8_t record[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1 };
	int fd = *(int *)arg;
	for (;;) {
		uint8_t m[512 + sizeof record];
		struct sockaddr_in from;
		socklen_t from_size = sizeof from;
		ssize_t n = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &from_size);
		size_t end = 12;
		while (n > 17 && end + 5 < (size_t)n && m[end])
			end += m[end] + 1u;
		if (n <= 17 || end + 5 > (size_t)n)
			continue;
		end += 5;
		bool address = m[end - 4] == 0 && m[end - 3] == 1;
		m[2] = 0x85;
		m[3] = 0x80;
		memset(m + 4, 0, 8);
		m[5] = 1;
		m[7] = address;
		if (address)
			memcpy(m + end, record, sizeof record);
		sendto(fd, m, end + (address ? sizeof record : 0), 0, (struct sockaddr *)&from, from_size);
	}
	return NULL;
}

static int *open_socket(int type, unsigned port)
{
	static int fds[2];
	static unsigned used;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int on = 1, *fd = &fds[used++];
	*fd = socket(AF_INET, type, 0);
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(*fd, (const struct sockaddr *)&at, sizeof at) || (type == SOCK_STREAM && listen(*fd, 512)))
		bench_fail("cannot listen on port %u", port);
	return fd;
}

void responder_start(unsigned http_port, unsigned dns_port)
{
	run(serve_http, open_socket(SOCK_STREAM, http_port));
	if (dns_port)
		run(serve_dns, open_socket(SOCK_DGRAM, dns_port));
}
