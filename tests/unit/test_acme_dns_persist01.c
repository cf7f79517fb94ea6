#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/acme.h"
#include "acme/dns_persist01.h"
#include "base/base64.h"
#include "base/clock.h"
#include "tests/unit/fake_dns.h"

#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" /* RFC 7638, 3.1 */
#define ACCOUNT "https://ca.example/acme/default/account/123"
#define PREFIX "https://ca.example/acme/default/account-hash/"
#define NOW 1700000000

/* draft-ietf-acme-dns-persist-02, 10.2, for our form of account URLs: made by hand with SHA-256. */
#define HASH "nkoM4HyKnv5rnegY94m-Z7d1AJdXrH8FaIHCLmAbySA"
#define STAR "Z4SJu8OlRBPWGnWKmP6xWL8ca-T1P4aoPEtx3kwl8zQ"
#define GOOD PREFIX "sha-256/" HASH

static struct strings issuers;

static int setup(void **state)
{
	(void)state;
	return strings_add(&issuers, "authority.example") && strings_add(&issuers, "ca.example.net") ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	strings_free(&issuers);
	return 0;
}

static void judges_records(void **state)
{
	static const struct {
		const char *text;
		unsigned forms;
		bool wildcard;
		enum problem_kind want;      /* PROBLEM_NONE with good false: of another CA */
		bool good;
		int64_t until;
	} rows[] = {
		{ "authority.example; accounturi=" GOOD, ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "CA.example.NET;accounturi=" GOOD, ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" PREFIX "sha-256/" STAR, ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" GOOD "; future=1", ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" GOOD "; policy=other", ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" GOOD "; policy=WildCard", ACME_PERSIST_02, true, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=1700000001", ACME_PERSIST_02, false, PROBLEM_NONE, true, 1700000001 },
		{ "authority.example; accounturi=" GOOD, ACME_PERSIST_02, true, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; policy=other", ACME_PERSIST_02, true, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=1700000000", ACME_PERSIST_02, false, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=soon", ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=", ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=-1", ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; accounturi=" GOOD, ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; policy=wildcard", ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" PREFIX "sha-512/" HASH, ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" PREFIX "SHA-256/" HASH, ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=https://other.example/sha-256/" HASH, ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=100000000000000", ACME_PERSIST_02, false, PROBLEM_NONE, true,
		  100000000000000 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=0100000000000000", ACME_PERSIST_02, false, PROBLEM_MALFORMED,
		  false, 0 },
		{ "authority.example; accounturi=" GOOD "; persistUntil=1800000000; persistUntil=1800000000", ACME_PERSIST_02, false,
		  PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "; policy=wildcard; policy=wildcard", ACME_PERSIST_02, true,
		  PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" PREFIX "sha-256/*koM4HyKnv5rnegY94m-Z7d1AJdXrH8FaIHCLmAbySA", ACME_PERSIST_02,
		  false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" GOOD "A", ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "authority.example; accounturi=" PREFIX "sha-256/" THUMBPRINT, ACME_PERSIST_02, false, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" ACCOUNT, ACME_PERSIST_02, false, PROBLEM_MALFORMED, false, 0 },
		{ "other.example; accounturi=" GOOD, ACME_PERSIST_02, false, PROBLEM_NONE, false, 0 },
		{ "; accounturi=" GOOD, ACME_PERSIST_02, false, PROBLEM_NONE, false, 0 },
		{ "v=spf1 -all", ACME_PERSIST_02, false, PROBLEM_NONE, false, 0 },
		{ "", ACME_PERSIST_02, false, PROBLEM_NONE, false, 0 },
		/* draft 00 */
		{ "authority.example; accounturi=" ACCOUNT, ACME_PERSIST_00, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" ACCOUNT "4", ACME_PERSIST_00, false, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" GOOD, ACME_PERSIST_00, false, PROBLEM_UNAUTHORIZED, false, 0 },
		{ "authority.example; accounturi=" ACCOUNT, ACME_PERSIST_00 | ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
		{ "authority.example; accounturi=" GOOD, ACME_PERSIST_00 | ACME_PERSIST_02, false, PROBLEM_NONE, true, 0 },
	};
	auto_value(buf) keys = {0};

	(void)state;
	/* a former key, and the present one after it */
	for (size_t i = 0; i < 32; i++)
		buf_add_char(&keys, (char)i);
	assert_true(base64url_decode(THUMBPRINT, strlen(THUMBPRINT), &keys));
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct dns_persist_rules rules = { &issuers, rows[i].forms };
		const struct probe_task task = {
			.type = "dns", .value = "example.com", .account_url = ACCOUNT, .wildcard = rows[i].wildcard,
			.thumbprints = buf_bytes(&keys),
		};
		auto_value(problem) p = {0};
		int64_t until = 0;
		bool good = dns_persist01_judge(&rules, &task, BYTES_STR(rows[i].text), NOW, &until, &p);

		if (good != rows[i].good || p.kind != rows[i].want || until != rows[i].until)
			fail_msg("%s: %s: %s", rows[i].text, problem_kind_name(p.kind), p.detail);
	}
}

static void former_keys_hold(void **state)
{
	const struct dns_persist_rules rules = { &issuers, ACME_PERSIST_02 };
	auto_value(buf) former = {0}, both = {0};
	struct probe_task task = { .type = "dns", .value = "example.com", .account_url = ACCOUNT };
	auto_value(problem) p = {0};
	int64_t until;

	(void)state;
	assert_true(base64url_decode(THUMBPRINT, strlen(THUMBPRINT), &former));
	buf_add(&both, former.data, former.len);
	for (size_t i = 0; i < 32; i++)
		buf_add_char(&both, (char)i);
	task.thumbprints = buf_bytes(&both);
	assert_true(dns_persist01_judge(&rules, &task, BYTES_STR("ca.example.net; accounturi=" GOOD), NOW, &until, &p));
	task.thumbprints = BYTES(both.data + 32, 32);
	assert_false(dns_persist01_judge(&rules, &task, BYTES_STR("ca.example.net; accounturi=" GOOD), NOW, &until, &p));
	task.thumbprints = buf_bytes(&both);
	task.value = "other.example.com"; /* the hash is of one name */
	assert_false(dns_persist01_judge(&rules, &task, BYTES_STR("ca.example.net; accounturi=" GOOD), NOW, &until, &p));
}

static void prefix_is_the_directorys(void **state)
{
	auto_value(buf) prefix = {0}, none = {0};

	(void)state;
	assert_true(dns_persist01_prefix(ACCOUNT, &prefix));
	assert_string_equal(buf_text(&prefix), PREFIX);
	assert_false(dns_persist01_prefix("https://ca.example/x/1", &none));
}

/* --- the records that are there */

#define AT "_validation-persist."
#define OURS "authority.example; accounturi=" ACCOUNT
#define FILL_50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define FILL_250 FILL_50 FILL_50 FILL_50 FILL_50 FILL_50 "|"
#define LONG "; x=" FILL_250 FILL_250 FILL_250 FILL_250 FILL_250 FILL_250 FILL_250 FILL_250

static const struct fake_record records[] = {
	{ .name = AT "own.example", .type = FAKE_TXT, .value = "other.example; accounturi=" ACCOUNT },
	{ .name = AT "own.example", .type = FAKE_TXT, .value = OURS "; persistUntil=4000000000" },
	{ .name = AT "single", .type = FAKE_TXT, .value = OURS },
	{ .name = AT "wrong.example", .type = FAKE_TXT, .value = OURS "4" },
	{ .name = AT "foreign.example", .type = FAKE_TXT, .value = "other.example" },
	{ .name = AT "long.example", .type = FAKE_TXT, .value = OURS LONG },
	{ .name = AT "above.example", .type = FAKE_TXT, .value = OURS "; policy=wildcard" },
	{ .name = AT "broken.above.example", .rcode = 2 },
	{ .name = AT "strict.example", .type = FAKE_TXT, .value = OURS },
	/* which is no domain of anybody's */
	{ .name = AT "example", .type = FAKE_TXT, .value = OURS "; policy=wildcard" },
	{ 0 },
};

static void finds_records(void **state)
{
	static const struct {
		const char *name;
		enum problem_kind want;
		const char *want_text;
		unsigned want_queries;       /* 0: whatever */
	} rows[] = {
		{ "own.example", PROBLEM_NONE, "", 1 },
		{ "single", PROBLEM_NONE, "", 1 },
		{ "www.above.example", PROBLEM_NONE, "", 2 },
		{ "2.3.4.5.6.7.8.above.example", PROBLEM_NONE, "", 8 },
		{ "1.2.3.4.5.6.7.8.above.example", PROBLEM_NONE, "", 9 },
		{ "0.1.2.3.4.5.6.7.8.above.example", PROBLEM_DNS, "NXDOMAIN", 9 },
		{ "www.strict.example", PROBLEM_DNS, "NXDOMAIN", 2 },
		{ "none.example", PROBLEM_DNS, "NXDOMAIN", 1 },
		{ "broken.above.example", PROBLEM_DNS, "SERVFAIL", 0 },
		{ "wrong.example", PROBLEM_UNAUTHORIZED, "this account's URL", 1 },
		{ "foreign.example", PROBLEM_UNAUTHORIZED, "no TXT record for \"authority.example\"", 1 },
		{ "long.example", PROBLEM_UNAUTHORIZED, "no TXT record", 0 },
	};
	const struct dns_persist_rules rules = { &issuers, ACME_PERSIST_00 };
	struct fake_dns server;
	auto_struct(dns) *dns = NULL;
	auto_value(strings) resolvers = {0};
	auto_value(problem) opening = {0};

	(void)state;
	fake_dns_start(&server, records);
	assert_true(strings_add(&resolvers, server.resolver));
	assert_true(dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &opening));
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		int64_t until = 7;
		unsigned before = atomic_load(&server.queries);
		const struct probe_task task = {
			.type = "dns", .value = rows[i].name, .account_url = ACCOUNT, .ret_until = &until,
		};
		bool good = dns_persist01_prove(dns, &rules, &task, clock_monotonic_ms() + 5000, &p);
		unsigned queries = atomic_load(&server.queries) - before;

		if (good != (rows[i].want == PROBLEM_NONE) || p.kind != rows[i].want || !strstr(p.detail, rows[i].want_text) ||
		    (rows[i].want_queries && queries != rows[i].want_queries))
			fail_msg("%s: %u queries, %s: %s", rows[i].name, queries, problem_kind_name(p.kind), p.detail);
		assert_int_equal(until, !good ? 7 : i == 0 ? 4000000000 : 0);
	}
	const struct probe_task anonymous = { .type = "dns", .value = "own.example" };
	auto_value(problem) p = {0};
	assert_false(dns_persist01_prove(dns, &rules, &anonymous, clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	problem_done(&p);
	const struct probe_task bare = { .type = "dns", .value = "own.example", .account_url = ACCOUNT };
	assert_true(dns_persist01_prove(dns, &rules, &bare, clock_monotonic_ms() + 5000, &p));
	const struct probe_task signed_only = {
		.type = "dns", .value = "own.example", .account_url = ACCOUNT, .require_dnssec = true,
	};
	assert_false(dns_persist01_prove(dns, &rules, &signed_only, clock_monotonic_ms() + 5000, &p));
	assert_non_null(strstr(p.detail, "not signed with DNSSEC"));
	dns_close(steal(dns));
	fake_dns_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_records),
		cmocka_unit_test(former_keys_hold),
		cmocka_unit_test(prefix_is_the_directorys),
		cmocka_unit_test(finds_records),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
