#include "acme/dns_stub.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

enum {
	DNS_PORT = 53, MESSAGE_MAX = 512, HEADER = 12, NAME_MAX_WIRE = 255, LABEL_MAX = 63,
	QUESTIONS_MAX = 2,
	ANSWER_MS = 300,     /* no more is waited for the one resolver */
	REST_MS = 30000,     /* after it has not answered as hoped */
	QUESTION_FIXED = 4,  /* after the name: type, class */
	RECORD_FIXED = 10,   /* after the name: type, class, TTL, length */
};

struct dns_stub {
	struct addr resolver;
	unsigned port;
	_Atomic int64_t rests_until;
};

/* One question on its way; the message that was sent is what the answer must begin like. */
struct asked {
	uint8_t sent[HEADER + NAME_MAX_WIRE + QUESTION_FIXED];
	size_t len;
	bool done;
};

static bool has_some(const struct strings *list)
{
	return list && list->n > 0;
}

/* "192.0.2.53" or "127.0.0.1@5353". */
static bool parse_resolver(const char *text, struct dns_stub *ret)
{
	size_t n = strcspn(text, "@");
	auto_free char *host = strndup(text, n);

	ret->port = text[n] ? (unsigned)strtoul(text + n + 1, NULL, 10) : DNS_PORT;
	return host && addr_parse(host, &ret->resolver) && ret->port > 0 && ret->port <= UINT16_MAX;
}

struct dns_stub *dns_stub_new(const struct dns_options *o)
{
	if (!has_some(o->resolvers) || has_some(o->root_hints) || has_some(o->trust_anchors) ||
	    o->zone_count > 0 || o->tcp)
		return NULL;
	auto_free struct dns_stub *stub = calloc(1, sizeof(*stub));
	if (!stub || !parse_resolver(o->resolvers->v[0], stub))
		return NULL;
	return steal(stub);
}

void dns_stub_free(struct dns_stub *stub)
{
	free(stub);
}

/* --- questions */

/* Names that no resolver is asked for (RFC 6761, RFC 7686) or that are no hosts: libunbound knows. */
static bool is_special(const char *name)
{
	static const char *const last[] = { "localhost", "onion", "arpa" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < array_length(last); i++)
		if (strcasecmp(dot ? dot + 1 : name, last[i]) == 0)
			return true;
	return false;
}

static void put_16(struct asked *a, unsigned v)
{
	a->sent[a->len++] = (uint8_t)(v >> 8);
	a->sent[a->len++] = (uint8_t)v;
}

/* false: a name that DNS cannot have. */
static bool put_name(struct asked *a, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > LABEL_MAX || a->len + n + 2 > HEADER + NAME_MAX_WIRE)
			return false;
		a->sent[a->len++] = (uint8_t)n;
		memcpy(a->sent + a->len, name, n);
		a->len += n;
		name += n;
		name += *name == '.';
	}
	a->sent[a->len++] = 0;
	return true;
}

/* RFC 1035, 4.1.1: a query, recursion desired. */
static bool write_question(const struct dns_question *q, unsigned id, struct asked *a)
{
	a->len = 0;
	put_16(a, id);
	put_16(a, 0x0100);
	put_16(a, 1);
	put_16(a, 0);
	put_16(a, 0);
	put_16(a, 0);
	if ((q->type != DNS_TYPE_A && q->type != DNS_TYPE_AAAA) || !q->name[0] || is_special(q->name) ||
	    !put_name(a, q->name))
		return false;
	put_16(a, (unsigned)q->type);
	put_16(a, DNS_CLASS_IN);
	return true;
}

static int open_socket(const struct dns_stub *stub)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_sockaddr(&stub->resolver, stub->port, &to);
	int fd = socket(stub->resolver.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* --- answers */

static unsigned get_16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Of this question: its id, and the question to the byte. */
static bool is_for(const struct asked *a, struct bytes m)
{
	return m.len >= a->len && memcmp(m.data, a->sent, 2) == 0 && (m.data[2] & 0xf8) == 0x80 &&
	       get_16(m.data + 4) == 1 &&
	       memcmp(m.data + HEADER, a->sent + HEADER, a->len - HEADER) == 0;
}

/* The length of the name at the beginning of a record, when it is the question's. 0: it is another. */
static size_t question_name(const struct asked *a, struct bytes record)
{
	static const uint8_t pointer[] = { 0xc0, HEADER };
	size_t len = a->len - HEADER - QUESTION_FIXED;

	if (record.len >= sizeof(pointer) && memcmp(record.data, pointer, sizeof(pointer)) == 0)
		return sizeof(pointer);
	return record.len >= len && memcmp(record.data, a->sent + HEADER, len) == 0 ? len : 0;
}

/* Nothing but records of the name and type that were asked for: no alias, no bycatch. */
static bool is_plain(const struct asked *a, int type, struct bytes m)
{
	struct bytes rest = BYTES(m.data + a->len, m.len - a->len);

	for (unsigned left = get_16(m.data + 6); left > 0; left--) {
		size_t name = question_name(a, rest);
		const uint8_t *fixed = rest.data + name;

		if (name == 0 || rest.len < name + RECORD_FIXED || get_16(fixed) != (unsigned)type ||
		    get_16(fixed + 2) != DNS_CLASS_IN || rest.len < name + RECORD_FIXED + get_16(fixed + 8))
			return false;
		name += RECORD_FIXED + get_16(fixed + 8);
		rest = BYTES(rest.data + name, rest.len - name);
	}
	return true;
}

/* Whole, of a server that resolves or knows, with records or certain that there are none. */
static bool is_beyond_doubt(const struct asked *a, int type, struct bytes m)
{
	bool truncated = m.data[2] & 0x02, authoritative = m.data[2] & 0x04, recursive = m.data[3] & 0x80;
	unsigned rcode = m.data[3] & 0x0f, records = get_16(m.data + 6);

	return !truncated && (authoritative || recursive) && (rcode == 0 || (rcode == DNS_NXDOMAIN && records == 0)) &&
	       is_plain(a, type, m);
}

/* false: this answer is for libunbound to understand. */
static bool take_answer(struct asked *a, struct dns_question *q, struct bytes m)
{
	struct dns_answer answer;

	if (!is_beyond_doubt(a, q->type, m) || !dns_answer_open(m, q->type, &answer))
		return false;
	buf_clear(&q->message);
	buf_add(&q->message, m.data, m.len);
	q->rcode = answer.rcode;
	q->fate = answer.rcode == 0 ? DNS_ANSWERED : DNS_NO_NAME;
	q->secure = false;
	q->why[0] = '\0';
	a->done = true;
	return !q->message.failed;
}

/* Which of them, not answered yet, a message is for; n: of none. */
static size_t find(const struct asked *v, size_t n, struct bytes m)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].done && is_for(&v[i], m))
			return i;
	return n;
}

static bool receive(int fd, struct asked *asked, struct dns_question *v, size_t n, int64_t deadline)
{
	for (size_t open = n; open > 0;) {
		int64_t left = deadline - clock_monotonic_ms();
		struct timeval t = { .tv_usec = left * 1000 };
		uint8_t message[MESSAGE_MAX];

		if (left <= 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) != 0)
			return false;
		ssize_t got = recv(fd, message, sizeof(message), 0);
		if (got < 0)
			return false;
		struct bytes m = BYTES(message, (size_t)got);
		size_t i = find(asked, n, m);
		if (i < n && !take_answer(&asked[i], &v[i], m))
			return false;
		open -= i < n;
	}
	return true;
}

static bool send_all(int fd, const struct asked *asked, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (send(fd, asked[i].sent, asked[i].len, MSG_NOSIGNAL) != (ssize_t)asked[i].len)
			return false;
	return true;
}

bool dns_stub_ask(struct dns_stub *stub, struct dns_question *v, size_t n, int64_t deadline)
{
	int64_t now = clock_monotonic_ms(), until = now + ANSWER_MS < deadline ? now + ANSWER_MS : deadline;
	auto_value(problem) p = {0};
	struct asked asked[QUESTIONS_MAX] = {0};
	uint16_t ids[QUESTIONS_MAX];

	if (n > QUESTIONS_MAX || now < atomic_load(&stub->rests_until) || !random_bytes(ids, sizeof(ids), &p))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!write_question(&v[i], ids[i], &asked[i]))
			return false;
	auto_fd int fd = open_socket(stub);
	bool answered = fd >= 0 && send_all(fd, asked, n) && receive(fd, asked, v, n, until);
	if (!answered && clock_monotonic_ms() >= until)
		atomic_store(&stub->rests_until, clock_monotonic_ms() + REST_MS);
	return answered;
}
