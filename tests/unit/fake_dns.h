/* A name server for tests: UDP, loopback, a port of the kernel's choice, answers from a table. */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAKE_A = 1, FAKE_CNAME = 5, FAKE_TXT = 16, FAKE_AAAA = 28, FAKE_CAA = 257 };

/* Several rows for one name and type are several records. A row with type 0 says how the name is
 * answered as a whole: by that rcode, or (silent) not at all. The name "*" fits every question (its
 * records are for addresses alone). A name without rows: NXDOMAIN. */
struct fake_record {
	const char *name;
	int type;
	const char *value; /* an address, the name of a CNAME, "one|two" of a TXT, "0 issue ca.example" */
	int rcode;
	bool silent;
};
struct fake_dns {
	int fd;
	unsigned port;
	char resolver[32]; /* "127.0.0.1@PORT" */
	pthread_t thread;
	const struct fake_record *records; /* ended by a NULL name */
	atomic_uint queries;
};

static inline size_t fake_dns_name(uint8_t *out, const char *name)
{
	size_t n = 0;

	while (*name) {
		size_t len = strcspn(name, ".");
		out[n++] = (uint8_t)len;
		memcpy(out + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	out[n++] = 0;
	return n;
}

static inline size_t fake_dns_question(const uint8_t *in, size_t len, char name[256])
{
	size_t at = 12, n = 0;

	while (at < len && in[at] && n + in[at] + 1 < 256 && at + 1 + in[at] < len) {
		memcpy(name + n, in + at + 1, in[at]);
		n += in[at];
		name[n++] = '.';
		at += 1 + in[at];
	}
	name[n ? n - 1 : 0] = '\0';
	return at + 1;
}

static inline size_t fake_dns_text(uint8_t *out, const char *value)
{
	size_t n = 0;

	for (;;) {
		size_t len = strcspn(value, "|");
		out[n++] = (uint8_t)len;
		memcpy(out + n, value, len);
		n += len;
		if (!value[len])
			return n;
		value += len + 1;
	}
}

static inline size_t fake_dns_caa(uint8_t *out, const char *value)
{
	const char *at = strchr(value, ' ') + 1;
	size_t tag = strcspn(at, " ");

	out[0] = (uint8_t)atoi(value);
	out[1] = (uint8_t)tag;
	memcpy(out + 2, at, tag);
	at += tag + 1;
	memcpy(out + 2 + tag, at, strlen(at));
	return 2 + tag + strlen(at);
}

static inline size_t fake_dns_record(uint8_t *out, const char *name, const struct fake_record *r)
{
	size_t n = fake_dns_name(out, name), at;

	memcpy(out + n, (uint8_t[]){ (uint8_t)(r->type >> 8), (uint8_t)r->type, 0, 1, 0, 0, 1, 44 }, 8);
	n += 8;
	at = n;
	n += 2;
	if (r->type == FAKE_CNAME) {
		n += fake_dns_name(out + n, r->value);
	} else if (r->type == FAKE_TXT) {
		n += fake_dns_text(out + n, r->value);
	} else if (r->type == FAKE_CAA) {
		n += fake_dns_caa(out + n, r->value);
	} else {
		int parsed = inet_pton(r->type == FAKE_A ? AF_INET : AF_INET6, r->value, out + n);
		assert(parsed == 1);
		n += r->type == FAKE_A ? 4 : 16;
	}
	out[at] = (uint8_t)((n - at - 2) >> 8);
	out[at + 1] = (uint8_t)(n - at - 2);
	return n;
}

/* 0: no answer. */
static inline size_t fake_dns_answer(const struct fake_dns *dns, const uint8_t *in, size_t len, uint8_t *out)
{
	char name[256];
	size_t n = fake_dns_question(in, len, name) + 4;
	int type = in[n - 4] << 8 | in[n - 3], rcode = 3;
	unsigned answers = 0;

	memcpy(out, in, n);
	for (const struct fake_record *r = dns->records; r->name; r++) {
		if (strcasecmp(r->name, name) != 0 && strcmp(r->name, "*") != 0)
			continue;
		if (r->silent)
			return 0;
		rcode = r->rcode;
		if (r->type != 0 && (r->type == type || r->type == FAKE_CNAME)) {
			n += fake_dns_record(out + n, name, r);
			answers++;
		}
	}
	out[2] = 0x85;
	out[3] = (uint8_t)(0x80 | rcode);
	memcpy(out + 4, (uint8_t[]){ 0, 1, 0, (uint8_t)answers, 0, 0, 0, 0 }, 8);
	return n;
}

static inline void *fake_dns_run(void *arg)
{
	struct fake_dns *dns = arg;
	uint8_t in[1500], out[4096];
	struct sockaddr_in from;
	ssize_t len;

	for (;;) {
		socklen_t from_len = sizeof(from);
		len = recvfrom(dns->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
		if (len <= 0)
			return NULL;
		if (len < 17)
			continue;
		atomic_fetch_add(&dns->queries, 1);
		size_t n = fake_dns_answer(dns, in, (size_t)len, out);
		if (n)
			sendto(dns->fd, out, n, 0, (struct sockaddr *)&from, from_len);
	}
}

static inline void fake_dns_start(struct fake_dns *dns, const struct fake_record *records)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	memset(dns, 0, sizeof(*dns));
	dns->records = records;
	dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = bind(dns->fd, (struct sockaddr *)&in, len) ||
	            getsockname(dns->fd, (struct sockaddr *)&in, &len);
	assert(!error);
	dns->port = ntohs(in.sin_port);
	snprintf(dns->resolver, sizeof(dns->resolver), "127.0.0.1@%u", dns->port);
	error = pthread_create(&dns->thread, NULL, fake_dns_run, dns);
	assert(!error);
}

static inline void fake_dns_stop(struct fake_dns *dns)
{
	shutdown(dns->fd, SHUT_RDWR); /* wakes the thread, though it says ENOTCONN */
	pthread_join(dns->thread, NULL);
	close(dns->fd);
}
