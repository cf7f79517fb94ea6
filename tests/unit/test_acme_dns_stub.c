#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "acme/dns_stub.h"
#include "base/clock.h"

/* A resolver that answers as the first letter of a name tells it to. */
static struct {
	int fd;
	pthread_t thread;
	char name[32];
	atomic_uint queries;
} server;

static const uint8_t *record(char how)
{
	static const uint8_t pointed[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	static const uint8_t other_name[] = { 0xc0, 14, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	static const uint8_t other_class[] = { 0xc0, 12, 0, 1, 0, 3, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	static const uint8_t alias[] = { 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'x', 0xc0, 14 };
	static const uint8_t too_long[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 5, 192, 0, 2, 1 };

	return how == 'o' ? other_name : how == 'c' ? other_class : how == 'a' ? alias : how == 'l' ? too_long : pointed;
}

enum { RECORD = 16 };

static void send_back(uint8_t *m, size_t len, const struct sockaddr_in *to)
{
	sendto(server.fd, m, len, 0, (const struct sockaddr *)to, sizeof(*to));
}

/* Comes before the answer; its address is another. */
static void forge(char how, uint8_t *m, size_t len, const struct sockaddr_in *to)
{
	uint8_t f[600];

	memcpy(f, m, len);
	f[len - 1] ^= 0x40;
	switch (how) {
	case 'i': f[0] ^= 1; break;                      /* somebody guesses the id */
	case 'w': f[14] ^= 1; break;                     /* or the question */
	case 'b': f[2] &= 0x7f; break;                   /* a query */
	case 'k': f[2] |= 0x08; break;                   /* another operation */
	case 'm': f[5] = 2; break;                       /* two questions */
	case 'h': f[0] ^= 1; break;
	default: return;
	}
	send_back(f, len, to);
	if (how == 'h') { /* a header alone, after what may still stand where it is read to */
		f[0] ^= 1;
		send_back(f, 12, to);
	}
}

/* With the record's name spelled out: the question's, or one of that length. */
static size_t spell(char how, uint8_t *m, size_t len)
{
	size_t name = len - 16;

	memcpy(m + len, m + 12, name);
	m[len + 1] ^= how == 'x';
	memcpy(m + len + name, record(how) + 2, RECORD - 2);
	return name + RECORD - 2;
}

static void answer(uint8_t *m, size_t len, const struct sockaddr_in *to)
{
	char how = (char)m[13];
	bool address = m[len - 3] == 1, none = strchr("neRs", how);

	m[2] = how == 't' ? 0x87 : how == 'q' ? 0x01 : how == 'v' ? 0x85 : 0x81;
	m[3] = how == 'r' || how == 'v' ? 0x00 : 0x80;
	m[3] |= how == 'n' || how == 'y' ? 3 : how == 's' || how == 'S' ? 2 : 0;
	m[7] = address && !none;
	size_t added = !m[7] || how == 'z' ? 0 : how == 'f' || how == 'x' ? spell(how, m, len) : RECORD;
	if (added == RECORD)
		memcpy(m + len, record(how), RECORD);
	if (address)
		forge(how, m, len + added, to);
	if (how != 'd')
		send_back(m, len + added, to);
	if (how == 'u' && !address) /* twice, before the other */
		send_back(m, len, to);
}

static void *serve(void *arg)
{
	uint8_t m[600];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t n;

	(void)arg;
	while ((n = recvfrom(server.fd, m, 512, 0, (struct sockaddr *)&from, &size)) > 12) {
		atomic_fetch_add(&server.queries, 1);
		answer(m, (size_t)n, &from);
	}
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	(void)state;
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &size), 0);
	snprintf(server.name, sizeof(server.name), "127.0.0.1@%u", ntohs(at.sin_port));
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
	(void)state;
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
	return 0;
}

static struct dns_stub *stub_of(const char *resolver)
{
	auto_value(strings) resolvers = {0};

	assert_true(strings_add(&resolvers, resolver));
	return dns_stub_new(&(struct dns_options){ .resolvers = &resolvers });
}

enum { AAAA, A, BOTH };

static bool ask(struct dns_stub *stub, const char *name, struct dns_question q[BOTH])
{
	q[AAAA] = (struct dns_question){ .name = name, .type = DNS_TYPE_AAAA };
	q[A] = (struct dns_question){ .name = name, .type = DNS_TYPE_A };
	return dns_stub_ask(stub, q, BOTH, clock_monotonic_ms() + 5000);
}

#define L61 "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
#define L63 L61 "pp"

static void takes_what_is_beyond_doubt(void **state)
{
	static const struct {
		const char *name;
		bool want;
		enum dns_fate want_fate;  /* of A */
		size_t want_n;
		const char *why;
	} rows[] = {
		{ "plain.example", true, DNS_ANSWERED, 1, "the usual" },
		{ "plain.example.", true, DNS_ANSWERED, 1, "with the root's dot" },
		{ "empty.example", true, DNS_ANSWERED, 0, "no record of this type" },
		{ "nothing.example", true, DNS_NO_NAME, 0, "NXDOMAIN" },
		{ "id.example", true, DNS_ANSWERED, 1, "a forged id before the answer" },
		{ "wrong.example", true, DNS_ANSWERED, 1, "a forged question before the answer" },
		{ "back.example", true, DNS_ANSWERED, 1, "a query before the answer" },
		{ "kind.example", true, DNS_ANSWERED, 1, "another operation before the answer" },
		{ "many.example", true, DNS_ANSWERED, 1, "two questions before the answer" },
		{ "head.example", true, DNS_ANSWERED, 1, "a header alone before the answer" },
		{ "full.example", true, DNS_ANSWERED, 1, "the name spelled out" },
		{ "very.example", true, DNS_ANSWERED, 1, "AA without RA" },
		{ "unasked.example", true, DNS_ANSWERED, 1, "the answer to the other question twice" },
		{ L63 ".example", true, DNS_ANSWERED, 1, "the longest label" },
		{ L63 "." L63 "." L63 "." L61, true, DNS_ANSWERED, 1, "the longest name" },
		{ "xname.example", false, DNS_UNASKED, 0, "a record of another name, spelled out" },
		{ "yes.example", false, DNS_UNASKED, 0, "NXDOMAIN, and a record" },
		{ "zero.example", false, DNS_UNASKED, 0, "a record that is not there" },
		{ "Servfail.example", false, DNS_UNASKED, 0, "SERVFAIL without a record" },
		{ "truncated.example", false, DNS_UNASKED, 0, "TC" },
		{ "servfail.example", false, DNS_UNASKED, 0, "SERVFAIL" },
		{ "referral.example", false, DNS_UNASKED, 0, "neither AA nor RA" },
		{ "other.example", false, DNS_UNASKED, 0, "a record of another name" },
		{ "class.example", false, DNS_UNASKED, 0, "a record of another class" },
		{ "alias.example", false, DNS_UNASKED, 0, "CNAME" },
		{ "long.example", false, DNS_UNASKED, 0, "a record that ends after the message" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct dns_stub *stub = stub_of(server.name);
		struct dns_question q[BOTH];
		struct addr v[4];
		size_t n = 0;
		int rcode;

		if (ask(stub, rows[i].name, q) != rows[i].want)
			fail_msg("%s: %s", rows[i].name, rows[i].why);
		if (rows[i].want) {
			assert_int_equal(q[A].fate, rows[i].want_fate);
			assert_false(q[A].secure);
			assert_true(dns_answer_read(buf_bytes(&q[A].message), DNS_TYPE_A, v, 4, &n, &rcode));
			assert_int_equal(n, rows[i].want_n);
			assert_int_equal(q[AAAA].fate, rows[i].want_fate);
			if (n > 0 && v[0].byte[3] != 1)
				fail_msg("%s: believed", rows[i].why);
		}
		dns_question_clear(&q[A]);
		dns_question_clear(&q[AAAA]);
		dns_stub_free(stub);
	}
}

static void names_that_are_not_for_it(void **state)
{
	static const char *const names[] = {
		"localhost", "x.LOCALHOST", "x.onion", "1.0.0.127.in-addr.arpa", "", ".", "a..example",
		L63 "p.example", L63 "." L63 "." L63 "." L61 "p",
	};
	struct dns_stub *stub = stub_of(server.name);
	unsigned before = atomic_load(&server.queries);
	char name[300];

	(void)state;
	for (size_t i = 0; i < array_length(names); i++) {
		struct dns_question q[BOTH];
		assert_false(ask(stub, names[i], q));
	}
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 2 ? '.' : 'p';
	name[sizeof(name) - 1] = '\0';
	struct dns_question q[BOTH];
	assert_false(ask(stub, name, q));
	struct dns_question text = { .name = "plain.example", .type = DNS_TYPE_TXT };
	assert_false(dns_stub_ask(stub, &text, 1, clock_monotonic_ms() + 5000));
	struct dns_question three[3];
	for (size_t i = 0; i < array_length(three); i++)
		three[i] = (struct dns_question){ .name = "plain.example", .type = DNS_TYPE_A };
	assert_false(dns_stub_ask(stub, three, 3, clock_monotonic_ms() + 5000));
	assert_int_equal(atomic_load(&server.queries), before);
	dns_stub_free(stub);
}

/* What does not answer is left alone for a while, so that look-ups are not late each time. */
static void rests_after_silence(void **state)
{
	struct dns_stub *stub = stub_of(server.name);
	struct dns_question q[BOTH];
	int64_t began = clock_monotonic_ms();

	(void)state;
	assert_false(ask(stub, "servfail.example", q)); /* which is an answer */
	assert_true(ask(stub, "plain.example", q));
	dns_question_clear(&q[A]);
	dns_question_clear(&q[AAAA]);
	began = clock_monotonic_ms();
	assert_false(ask(stub, "deaf.example", q));
	assert_in_range(clock_monotonic_ms() - began, 250, 4500); /* the question itself is given 5000 */
	unsigned before = atomic_load(&server.queries);
	assert_false(ask(stub, "plain.example", q));
	assert_int_equal(atomic_load(&server.queries), before);
	dns_stub_free(stub);
}

/* Whoever wants more than plain look-ups has libunbound alone. */
static void is_not_for_all_options(void **state)
{
	auto_value(strings) some = {0}, empty = {0};
	char corp[] = "corp.example";
	struct dns_zone zone = { .name = corp };

	(void)state;
	assert_true(strings_add(&some, server.name));
	const struct dns_options rows[] = {
		{ 0 },
		{ .resolvers = &some, .trust_anchors = &some },
		{ .resolvers = &some, .root_hints = &some },
		{ .resolvers = &some, .zones = &zone, .zone_count = 1 },
		{ .resolvers = &some, .tcp = true },
	};
	for (size_t i = 0; i < array_length(rows); i++)
		assert_null(dns_stub_new(&rows[i]));
	assert_null(stub_of("dns.example@53"));
	assert_null(stub_of("127.0.0.1@65536"));
	assert_null(stub_of("127.0.0.1@0"));
	struct dns_stub *last = stub_of("127.0.0.1@65535");
	assert_non_null(last);
	dns_stub_free(last);
	last = dns_stub_new(&(struct dns_options){ .resolvers = &some, .trust_anchors = &empty, .root_hints = &empty });
	assert_non_null(last);
	dns_stub_free(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_beyond_doubt),
		cmocka_unit_test(names_that_are_not_for_it),
		cmocka_unit_test(rests_after_silence),
		cmocka_unit_test(is_not_for_all_options),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
