#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/dns01.h"
#include "base/clock.h"
#include "base/digest.h"
#include "tests/unit/fake_dns.h"

/* SHA-256 of "token.thumbprint" in base64url. */
#define WANT "61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I"
#define OTHER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define A42 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define AT(name) "_acme-challenge." name

static struct fake_record records[] = {
	{ .name = AT("one.example"), .type = FAKE_TXT, .value = WANT },
	{ .name = AT("split.example"), .type = FAKE_TXT, .value = NULL },
	{ .name = AT("several.example"), .type = FAKE_TXT, .value = OTHER },
	{ .name = AT("several.example"), .type = FAKE_TXT, .value = "v=spf1 -all" },
	{ .name = AT("several.example"), .type = FAKE_TXT, .value = WANT },
	{ .name = AT("alias.example"), .type = FAKE_CNAME, .value = "challenges.elsewhere" },
	{ .name = "challenges.elsewhere", .type = FAKE_TXT, .value = WANT },
	{ .name = AT("other.example"), .type = FAKE_TXT, .value = OTHER },
	{ .name = AT("secret.example"), .type = FAKE_TXT, .value = "password=hunter2" },
	{ .name = AT("long.example"), .type = FAKE_TXT, .value = WANT "|x" },
	{ .name = AT("dash.example"), .type = FAKE_TXT, .value = "-" A42 },
	{ .name = AT("dash.example"), .type = FAKE_TXT, .value = A42 "_" },
	{ .name = AT("odd.example"), .type = FAKE_TXT, .value = A42 "!" },
	{ .name = AT("four.example"), .type = FAKE_TXT, .value = A42 "1" },
	{ .name = AT("four.example"), .type = FAKE_TXT, .value = A42 "2" },
	{ .name = AT("four.example"), .type = FAKE_TXT, .value = A42 "3" },
	{ .name = AT("four.example"), .type = FAKE_TXT, .value = A42 "4" },
	{ .name = AT("five.example"), .type = FAKE_TXT, .value = A42 "1" },
	{ .name = AT("five.example"), .type = FAKE_TXT, .value = A42 "2" },
	{ .name = AT("five.example"), .type = FAKE_TXT, .value = A42 "3" },
	{ .name = AT("five.example"), .type = FAKE_TXT, .value = A42 "4" },
	{ .name = AT("five.example"), .type = FAKE_TXT, .value = A42 "5" },
	{ .name = AT("short.example"), .type = FAKE_TXT, .value = "" },
	{ .name = AT("none.example"), .type = FAKE_A, .value = "192.0.2.1" },
	{ .name = AT("loop.example"), .type = FAKE_CNAME, .value = AT("pool.example") },
	{ .name = AT("pool.example"), .type = FAKE_CNAME, .value = AT("loop.example") },
	{ .name = AT("broken.example"), .rcode = 2 },
	{ .name = AT("silent.example"), .silent = true },
	{ .name = AT("demo.localhost"), .type = FAKE_TXT, .value = WANT }, /* as in the suites of lego and Pebble */
	/* dns-account-01: draft 03, 3.1 has this label for this URL */
	{ .name = "_ujmmovf2vn55tgye._acme-challenge.one.example", .type = FAKE_TXT, .value = WANT },
	{ 0 },
};
#define ACCOUNT "https://example.com/acme/acct/ExampleAccount"

static struct fake_dns server;
static struct dns *dns;

static int setup(void **state)
{
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};
	static char split[64];

	(void)state;
	snprintf(split, sizeof(split), "%.10s|%s|", WANT, &WANT[10]);
	records[1].value = split;
	fake_dns_start(&server, records);
	return strings_add(&resolvers, server.resolver) &&
	       dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dns_close(dns);
	fake_dns_stop(&server);
	return 0;
}

static struct probe_task task_of(const char *name)
{
	return (struct probe_task){
		.type = "dns", .value = name, .token = "token", .key_authorization = "token.thumbprint",
		.account_url = ACCOUNT,
	};
}

static void proves(void **state)
{
	static const char *const names[] = { "one.example", "split.example", "several.example", "alias.example", "ONE.example", "demo.localhost" };
	auto_value(buf) want = {0};
	uint8_t digest[SHA256_SIZE];

	(void)state;
	digest_sha256(BYTES_STR("token.thumbprint"), digest);
	buf_add_base64url(&want, BYTES(digest, sizeof(digest)));
	assert_string_equal(buf_text(&want), WANT);
	for (size_t i = 0; i < array_length(names); i++) {
		auto_value(problem) p = {0};
		const struct probe_task task = task_of(names[i]);

		if (!dns01_prove(dns, &task, clock_monotonic_ms() + 5000, &p))
			fail_msg("%s: %s%s", names[i], p.detail, p.cause);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *name;
		enum problem_kind want;
		const char *text, *never;
	} rows[] = {
		{ "other.example", PROBLEM_INCORRECT_RESPONSE, "there is \"" OTHER "\"", NULL },
		{ "secret.example", PROBLEM_INCORRECT_RESPONSE, "\"" WANT "\" that was wanted", "hunter2" },
		{ "long.example", PROBLEM_INCORRECT_RESPONSE, "none of the 1", NULL },
		{ "dash.example", PROBLEM_INCORRECT_RESPONSE, "\"-" A42 "\"", NULL },
		{ "dash.example", PROBLEM_INCORRECT_RESPONSE, "\"" A42 "_\"", NULL },
		{ "odd.example", PROBLEM_INCORRECT_RESPONSE, "none of the 1", "!" },
		{ "four.example", PROBLEM_INCORRECT_RESPONSE, "of 4 TXT", " and more" },
		{ "five.example", PROBLEM_INCORRECT_RESPONSE, "\" and more (asked", NULL },
		{ "short.example", PROBLEM_INCORRECT_RESPONSE, "none of the 1", NULL },
		{ "none.example", PROBLEM_INCORRECT_RESPONSE, "no TXT record at _acme-challenge.none.example", NULL },
		{ "missing.example", PROBLEM_DNS, "NXDOMAIN", NULL },
		{ "loop.example", PROBLEM_DNS, "SERVFAIL", NULL },
		{ "broken.example", PROBLEM_DNS, "SERVFAIL", NULL },
		{ "silent.example", PROBLEM_DNS, "in time", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		const struct probe_task task = task_of(rows[i].name);
		bool silent = str_equal(rows[i].text, "in time");

		assert_false(dns01_prove(dns, &task, clock_monotonic_ms() + (silent ? 1500 : 20000), &p));
		if (p.kind != rows[i].want || !strstr(p.detail, rows[i].text) ||
		    (rows[i].never && strstr(p.detail, rows[i].never)))
			fail_msg("%s: %s: %s", rows[i].name, problem_kind_name(p.kind), p.detail);
		size_t shown = 0;
		for (const char *at = p.detail; (at = strstr(at, "\"" A42)); at++)
			shown++;
		assert_in_range(shown, 0, 4);
		if (rows[i].want == PROBLEM_INCORRECT_RESPONSE)
			assert_non_null(strstr(p.detail, server.resolver));
	}
}

static void unsigned_answers_do_not_do(void **state)
{
	auto_value(problem) p = {0};
	struct probe_task task = task_of("one.example");

	(void)state;
	task.require_dnssec = true;
	assert_false(dns01_prove(dns, &task, clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_DNS);
	assert_non_null(strstr(p.detail, "not signed"));
}

static void the_label_is_the_accounts(void **state)
{
	struct probe_task task = task_of("one.example");
	auto_value(problem) p = {0};

	(void)state;
	if (!dns_account01_prove(dns, &task, clock_monotonic_ms() + 5000, &p))
		fail_msg("%s%s", p.detail, p.cause);
	task.account_url = ACCOUNT "2";
	assert_false(dns_account01_prove(dns, &task, clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_DNS);
	assert_null(strstr(p.detail, "ujmmovf2vn55tgye"));
	assert_non_null(strstr(p.detail, "the label is that of the account " ACCOUNT "2")); /* 3.4 */
	task.account_url = NULL;
	assert_false(dns_account01_prove(dns, &task, clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proves),
		cmocka_unit_test(refuses),
		cmocka_unit_test(unsigned_answers_do_not_do),
		cmocka_unit_test(the_label_is_the_accounts),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
