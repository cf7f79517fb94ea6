#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "acme/dns.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/fake_dns.h"

static const struct fake_record records[] = {
	{ .name = "one.example", .type = FAKE_A, .value = "192.0.2.1" },
	{ .name = "both.example", .type = FAKE_A, .value = "192.0.2.2" },
	{ .name = "both.example", .type = FAKE_AAAA, .value = "2001:db8::2" },
	{ .name = "six.example", .type = FAKE_AAAA, .value = "2001:db8::3" },
	{ .name = "mapped.example", .type = FAKE_AAAA, .value = "::ffff:127.0.0.1" },
	{ .name = "alias.example", .type = FAKE_CNAME, .value = "one.example" },
	{ .name = "loop.example", .type = FAKE_CNAME, .value = "pool.example" },
	{ .name = "pool.example", .type = FAKE_CNAME, .value = "loop.example" },
	{ .name = "empty.example" },
	{ .name = "broken.example", .rcode = 2 },
	{ .name = "refused.example", .rcode = 5 },
	{ .name = "silent.example", .silent = true },
	{ .name = "host.home.arpa", .type = FAKE_A, .value = "192.0.2.4" },
	{ .name = "host.test", .type = FAKE_A, .value = "192.0.2.5" },
	{ .name = "single", .type = FAKE_A, .value = "192.0.2.6" },
	{ .name = "elsewhere.localhost", .type = FAKE_A, .value = "192.0.2.7" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.10" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.11" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.12" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.13" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.14" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.15" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.16" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.17" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.18" },
	{ .name = "many.example", .type = FAKE_A, .value = "192.0.2.19" },
	{ 0 },
};

static struct fake_dns server;
static struct dns *dns;

static int setup(void **state)
{
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};

	(void)state;
	fake_dns_start(&server, records);
	return strings_add(&resolvers, server.resolver) && dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dns_close(dns);
	fake_dns_stop(&server);
	return 0;
}

static void finds_addresses(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "one.example", "192.0.2.1 " },
		{ "ONE.example", "192.0.2.1 " },
		{ "both.example", "2001:db8::2 192.0.2.2 " },
		{ "six.example", "2001:db8::3 " },
		{ "mapped.example", "127.0.0.1 " }, /* judged as what it is */
		{ "alias.example", "192.0.2.1 " },
		{ "host.home.arpa", "192.0.2.4 " }, /* not answered by libunbound itself */
		{ "host.test", "192.0.2.5 " },
		{ "single", "192.0.2.6 " },
		{ "elsewhere.localhost", "::1 127.0.0.1 " }, /* whatever DNS says (RFC 6761, 6.3) */
		{ "LOCALHOST", "::1 127.0.0.1 " },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		struct dns_addresses found;
		char text[ADDR_TEXT_SIZE], got[256] = "";

		if (!dns_lookup(dns, rows[i].name, false, clock_monotonic_ms() + 5000, &found, &p))
			fail_msg("%s: %s%s", rows[i].name, p.detail, p.cause);
		for (size_t k = 0; k < found.n; k++) {
			addr_format(&found.v[k], text);
			strcat(strcat(got, text), " ");
		}
		assert_string_equal(got, rows[i].want);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "missing.example", "NXDOMAIN" },
		{ "empty.example", "neither" },
		{ "broken.example", "SERVFAIL" },
		{ "loop.example", "loop.example" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		struct dns_addresses found;

		assert_false(dns_lookup(dns, rows[i].name, false, clock_monotonic_ms() + 10000, &found, &p));
		assert_int_equal(p.kind, PROBLEM_DNS);
		if (!strstr(p.detail, rows[i].want))
			fail_msg("%s: %s", rows[i].name, p.detail);
	}
}

/* Neither what DNS says unsigned, nor this machine's own word. */
static void what_must_be_signed_is(void **state)
{
	static const char *const names[] = { "one.example", "both.example", "six.example", "elsewhere.localhost" };

	(void)state;
	for (size_t i = 0; i < array_length(names); i++) {
		auto_value(problem) p = {0};
		struct dns_addresses found;

		assert_false(dns_lookup(dns, names[i], true, clock_monotonic_ms() + 5000, &found, &p));
		assert_int_equal(p.kind, PROBLEM_DNS);
		if (!strstr(p.detail, "not signed with DNSSEC") && i < 3)
			fail_msg("%s: %s", names[i], p.detail);
	}
}

static void many_are_cut_off(void **state)
{
	auto_value(problem) p = {0};
	struct dns_addresses found;

	(void)state;
	assert_true(dns_lookup(dns, "many.example", false, clock_monotonic_ms() + 5000, &found, &p));
	assert_int_equal(found.n, DNS_FAMILY_MAX);
}

static void a_silent_server_costs_no_more_than_the_deadline(void **state)
{
	auto_value(problem) p = {0};
	struct dns_addresses found;
	int64_t began = clock_monotonic_ms();

	(void)state;
	assert_false(dns_lookup(dns, "silent.example", false, began + 300, &found, &p));
	assert_int_equal(p.kind, PROBLEM_DNS);
	assert_non_null(strstr(p.detail, "in time"));
	assert_in_range(clock_monotonic_ms() - began, 290, 10000);
	/* And the next lookup is none the worse for it. */
	problem_done(&p);
	assert_true(dns_lookup(dns, "one.example", false, clock_monotonic_ms() + 5000, &found, &p));
}

static void answers_are_not_kept(void **state)
{
	auto_value(problem) p = {0};
	struct dns_addresses found;

	(void)state;
	assert_true(dns_lookup(dns, "both.example", false, clock_monotonic_ms() + 5000, &found, &p));
	unsigned before = atomic_load(&server.queries);
	assert_true(dns_lookup(dns, "both.example", false, clock_monotonic_ms() + 5000, &found, &p));
	assert_true(atomic_load(&server.queries) >= before + 2); /* more: a question repeated in impatience */
}

static void *look_often(void *arg)
{
	bool *right = arg;

	*right = true;
	for (int i = 0; i < 20 && *right; i++) {
		auto_value(problem) p = {0};
		struct dns_addresses found;

		*right = dns_lookup(dns, "both.example", false, clock_monotonic_ms() + 5000, &found, &p) &&
		         found.n == 2;
	}
	return NULL;
}

static void many_threads_ask_at_once(void **state)
{
	pthread_t threads[8];
	bool right[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_often, &right[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_true(right[i]);
	}
}

static void write_hosts(const char *path, const char *text)
{
	auto_value(problem) p = {0};

	assert_true(file_write(path, BYTES_STR(text), 0600, &p));
}

static bool finds(struct dns *from, const char *name, const char *want)
{
	auto_value(problem) p = {0};
	struct dns_addresses found;
	char text[ADDR_TEXT_SIZE] = "";

	if (dns_lookup(from, name, false, clock_monotonic_ms() + 10000, &found, &p))
		addr_format(&found.v[0], text);
	return str_equal(text, want);
}

/* localhost is a zone of libunbound's own: a file that has names below it kept it from starting. */
static void the_hosts_file_comes_first_and_is_read_again(void **state)
{
	char folder[] = "/tmp/enrolld-dns-XXXXXX";
	auto_value(problem) p = {0};
	auto_struct(dns) *from = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	auto_free char *path = mem_printf("%s/hosts", folder);
	write_hosts(path, "127.0.0.1 localhost demo.localhost\nnonsense\n192.0.2.7 Seven.example\n");
	assert_true(dns_open(&(struct dns_options){ .hosts = path }, &from, &p));
	assert_true(finds(from, "demo.localhost", "127.0.0.1"));
	assert_true(finds(from, "seven.example", "192.0.2.7"));
	assert_true(finds(from, "other.localhost", "::1") || finds(from, "other.localhost", "127.0.0.1"));
	write_hosts(path, "192.0.2.8 seven.example\n");
	for (int i = 0; i < 600 && !finds(from, "seven.example", "192.0.2.8"); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	assert_true(finds(from, "seven.example", "192.0.2.8"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_resolver_that_is_no_address_is_refused(void **state)
{
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};
	auto_struct(dns) *other = NULL;
	struct dns_addresses found;

	(void)state;
	assert_true(strings_add(&resolvers, "not an address"));
	assert_true(dns_open(&(struct dns_options){ .resolvers = &resolvers }, &other, &p));
	assert_false(dns_lookup(other, "one.example", false, clock_monotonic_ms() + 1000, &found, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_addresses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(what_must_be_signed_is),
		cmocka_unit_test(many_are_cut_off),
		cmocka_unit_test(a_silent_server_costs_no_more_than_the_deadline),
		cmocka_unit_test(answers_are_not_kept),
		cmocka_unit_test(many_threads_ask_at_once),
		cmocka_unit_test(the_hosts_file_comes_first_and_is_read_again),
		cmocka_unit_test(a_resolver_that_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
