#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/caa.h"
#include "acme/caa_record.h"
#include "base/clock.h"
#include "tests/unit/fake_dns.h"

#define ACCOUNT "https://ca.example/acme/default/account/1"
#define P5 "p=;p=;p=;p=;p=;"

/* --- one property */

static void reads_records(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		bool want, critical;
		enum caa_tag tag;
		const char *value;
	} rows[] = {
		{ "\x00\x05" "issueca.example", 17, true, false, CAA_ISSUE, "ca.example" },
		{ "\x80\x05" "ISSUEca.example", 17, true, true, CAA_ISSUE, "ca.example" },
		{ "\x7f\x05" "issue;", 8, true, false, CAA_ISSUE, ";" }, /* reserved bits are ignored */
		{ "\x00\x09" "issuewildx", 12, true, false, CAA_ISSUEWILD, "x" },
		{ "\x00\x05" "iodefmailto:a", 15, true, false, CAA_IODEF, "mailto:a" },
		{ "\x80\x03" "tbsUnknown", 12, true, true, CAA_UNKNOWN, "Unknown" },
		{ "\x00\x05" "issue", 7, true, false, CAA_ISSUE, "" },
		{ "\x00\x06" "issue", 7, false, false, 0, NULL },
		{ "\x00\x06" "issues", 7, false, false, 0, NULL }, /* its last letter is no more of the record */
		{ "\x00\x00" "issue", 7, false, false, 0, NULL },
		{ "\x00\x05" "is-ue", 7, false, false, 0, NULL },
		{ "\x00", 1, false, false, 0, NULL },
		{ "", 0, false, false, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct caa_record r;

		if (caa_record_parse(BYTES(rows[i].data, rows[i].len), &r) != rows[i].want)
			fail_msg("row %zu", i);
		if (!rows[i].want)
			continue;
		assert_int_equal(r.critical, rows[i].critical);
		assert_int_equal(r.tag, rows[i].tag);
		assert_true(bytes_equal(r.value, BYTES_STR(rows[i].value)));
	}
}

static void reads_values(void **state)
{
	static const struct {
		const char *value;
		bool want;
	} rows[] = {
		{ "ca.example", true }, { "CA.Example", true }, { " ca.example\t", true }, { "second.example", true },
		{ "ca.example;", true }, { "ca.example ; ", true }, { "ca.example; account=230123", true },
		{ "ca.example; a=b; c=d", true }, { "ca.example; a = b", true }, { "ca.example; a=", true },
		{ ";", false }, { "", false }, { "  ", false }, { "%%%%%", false }, { "other.example", false },
		{ "ca.example.", false }, { ".ca.example", false }, { "ca..example", false }, { "-ca.example", false },
		{ "ca.example x", false }, { "ca.example; a", false }, { "ca.example; =b", false },
		{ "ca.example; a=b;", false }, { "ca.example; a=b c", false }, { "ca.example; -a=b", false },
		{ "ca.example; a-=b", false }, { "ca.example; a-b=c", true }, { "my-ca.example", true }, { "my-.example", false },
		{ "ca.example; a=!~", true }, { "ca.example; a=\x7f", false }, { "ca.example; a=\x1f", false },
		{ "ca.example; " P5 P5 P5 "p=", true }, { "ca.example; " P5 P5 P5 "p=;p=", false },
		/* RFC 8657 */
		{ "ca.example; accounturi=" ACCOUNT, true },
		{ "ca.example; AccountURI=" ACCOUNT, true },
		{ "ca.example; accounturi=" ACCOUNT "2", false },
		{ "ca.example; accounturi=", false },
		{ "ca.example; accounturi=" ACCOUNT "; accounturi=" ACCOUNT, false },
		{ "other.example; accounturi=" ACCOUNT, false },
		{ "ca.example; validationmethods=dns-01", true },
		{ "ca.example; validationmethods=http-01,dns-01", true },
		{ "ca.example; validationmethods=http-01", false },
		{ "ca.example; validationmethods=", false },
		{ "ca.example; validationmethods=dns-010", false },
		{ "ca.example; validationmethods=DNS-01", false },
		{ "ca.example; validationmethods=xdns-01", false },
		{ "ca.example; accounturi=" ACCOUNT "; validationmethods=dns-01", true },
		{ "ca.example; accounturi=" ACCOUNT "; validationmethods=http-01", false },
	};
	auto_value(strings) identities = {0};

	(void)state;
	assert_true(strings_add(&identities, "ca.example") && strings_add(&identities, "second.example") &&
	            strings_add(&identities, "my-ca.example") && strings_add(&identities, ""));
	for (size_t i = 0; i < array_length(rows); i++) {
		/* what stands behind the value in memory is no part of it */
		static const char *const behind[] = { "", "a", " \t", ";", "=b", ",dns-01", ";;" };

		for (size_t k = 0; k < array_length(behind); k++) {
			auto_free char *text = mem_printf("%s%s", rows[i].value, behind[k]);
			const struct caa_record record = { .tag = CAA_ISSUE, .value = BYTES(text, strlen(rows[i].value)) };
			const struct caa_issuance issuance = { &identities, "dns-01", ACCOUNT };

			if (caa_record_permits(&record, &issuance) != rows[i].want)
				fail_msg("%s before %s", rows[i].value, behind[k]);
		}
	}
	const struct caa_issuance without = { NULL, "dns-01", ACCOUNT };
	assert_false(caa_record_permits(&(struct caa_record){ .tag = CAA_ISSUE, .value = BYTES_STR("ca.example") }, &without));
	const struct caa_record bound = { .tag = CAA_ISSUE, .value = BYTES_STR("ca.example; accounturi=" ACCOUNT) };
	const struct caa_issuance nobody = { &identities, "dns-01", NULL };
	assert_false(caa_record_permits(&bound, &nobody));
}

/* --- climbing */

static const struct fake_record records[] = {
	{ .name = "ours.example", .type = FAKE_CAA, .value = "0 issue ca.example" },
	{ .name = "theirs.example", .type = FAKE_CAA, .value = "0 issue other.example" },
	{ .name = "both.example", .type = FAKE_CAA, .value = "0 issue other.example" },
	{ .name = "both.example", .type = FAKE_CAA, .value = "0 issue ca.example" },
	{ .name = "nobody.example", .type = FAKE_CAA, .value = "0 issue ;" },
	{ .name = "again.nobody.example", .type = FAKE_CAA, .value = "0 issue ca.example" },
	{ .name = "report.example", .type = FAKE_CAA, .value = "0 iodef mailto:ops@example.com" },
	{ .name = "critical.example", .type = FAKE_CAA, .value = "128 tbs Unknown" },
	{ .name = "critical.example", .type = FAKE_CAA, .value = "0 issue ca.example" },
	{ .name = "relaxed.example", .type = FAKE_CAA, .value = "0 tbs Unknown" },
	{ .name = "mail.example", .type = FAKE_CAA, .value = "128 issuemail other.example" },
	{ .name = "mail.theirs.example", .type = FAKE_CAA, .value = "128 issuemail ca.example" },
	{ .name = "mail.theirs.example", .type = FAKE_CAA, .value = "128 issue other.example" },
	{ .name = "strict.example", .type = FAKE_CAA, .value = "128 issue ca.example" },
	{ .name = "strict.example", .type = FAKE_CAA, .value = "128 iodef mailto:ops@example.com" },
	/* the examples of RFC 8659, 4.3, with ca.example for ca2 */
	{ .name = "wild.example", .type = FAKE_CAA, .value = "0 issue other.example" },
	{ .name = "wild.example", .type = FAKE_CAA, .value = "0 issuewild ca.example" },
	{ .name = "wild2.example", .type = FAKE_CAA, .value = "0 issue other.example" },
	{ .name = "wild3.example", .type = FAKE_CAA, .value = "0 issuewild ca.example" },
	{ .name = "wild3.example", .type = FAKE_CAA, .value = "0 issue ;" },
	{ .name = "wild5.example", .type = FAKE_CAA, .value = "0 issuewild ca.example" },
	{ .name = "wild5.example", .type = FAKE_CAA, .value = "0 issuewild other.example" },
	{ .name = "critical2.example", .type = FAKE_CAA, .value = "128 tbs Unknown" },
	{ .name = "critical2.example", .type = FAKE_CAA, .value = "0 tbt Unknown" },
	{ .name = "critical3.example", .type = FAKE_CAA, .value = "0 tbs Unknown" },
	{ .name = "critical3.example", .type = FAKE_CAA, .value = "128 tbt Unknown" },
	{ .name = "wild6.example", .type = FAKE_CAA, .value = "0 issuewild other.example" },
	{ .name = "wild6.example", .type = FAKE_CAA, .value = "0 issuewild ca.example" },
	{ .name = "wild4.example", .type = FAKE_CAA, .value = "0 issuewild other.example" },
	/* An alias counts with what it leads to, and its target's parents do not (3). */
	{ .name = "alias.example", .type = FAKE_CNAME, .value = "theirs.example" },
	{ .name = "away.free.example", .type = FAKE_CNAME, .value = "sub.theirs.example" },
	{ .name = "sub.theirs.example", .type = FAKE_A, .value = "192.0.2.1" },
	{ .name = "away.nobody.example", .type = FAKE_CNAME, .value = "ours.example" },
	{ .name = "broken.example", .rcode = 2 },
	{ .name = "refused.example", .rcode = 5 },
	{ .name = "silent.example", .silent = true },
	{ 0 },
};

static struct fake_dns server;
static struct dns *dns;
static struct strings identities;

static int setup(void **state)
{
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};

	(void)state;
	fake_dns_start(&server, records);
	return strings_add(&identities, "ca.example") && strings_add(&resolvers, server.resolver) &&
	       dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dns_close(dns);
	fake_dns_stop(&server);
	strings_free(&identities);
	return 0;
}

static struct caa_subject subject_of(const char *name)
{
	bool wildcard = str_starts(name, "*.");

	return (struct caa_subject){
		.value = name + (wildcard ? 2 : 0), .wildcard = wildcard, .method = "dns-01", .account_url = ACCOUNT,
	};
}

static void climbs(void **state)
{
	static const struct {
		const char *name;
		enum problem_kind want;
	} rows[] = {
		{ "free.example", PROBLEM_NONE }, { "single", PROBLEM_NONE }, { "ours.example", PROBLEM_NONE },
		{ "a.b.c.ours.example", PROBLEM_NONE }, { "theirs.example", PROBLEM_CAA },
		{ "a.b.c.theirs.example", PROBLEM_CAA }, { "both.example", PROBLEM_NONE },
		{ "nobody.example", PROBLEM_CAA }, { "again.nobody.example", PROBLEM_NONE },
		{ "x.again.nobody.example", PROBLEM_NONE }, { "report.example", PROBLEM_NONE },
		{ "critical.example", PROBLEM_CAA }, { "sub.critical.example", PROBLEM_CAA }, { "relaxed.example", PROBLEM_NONE },
		{ "mail.example", PROBLEM_NONE }, { "mail.theirs.example", PROBLEM_CAA }, { "strict.example", PROBLEM_NONE },
		{ "wild.example", PROBLEM_CAA }, { "*.wild.example", PROBLEM_NONE }, { "*.sub.wild.example", PROBLEM_NONE },
		{ "*.wild5.example", PROBLEM_NONE }, { "*.wild6.example", PROBLEM_NONE }, { "critical2.example", PROBLEM_CAA },
		{ "critical3.example", PROBLEM_CAA },
		{ "*.wild2.example", PROBLEM_CAA }, { "wild3.example", PROBLEM_CAA }, { "*.wild3.example", PROBLEM_NONE },
		{ "wild4.example", PROBLEM_NONE }, { "*.wild4.example", PROBLEM_CAA }, { "*.ours.example", PROBLEM_NONE },
		{ "alias.example", PROBLEM_CAA }, { "away.free.example", PROBLEM_NONE }, { "away.nobody.example", PROBLEM_NONE },
		{ "broken.example", PROBLEM_DNS }, { "sub.broken.example", PROBLEM_DNS }, { "refused.example", PROBLEM_DNS },
		{ "silent.example", PROBLEM_DNS },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		const struct caa_subject subject = subject_of(rows[i].name);
		bool good = caa_check(dns, &identities, &subject, 1, clock_monotonic_ms() + 1000, &p);

		if (good != (rows[i].want == PROBLEM_NONE) || p.kind != rows[i].want)
			fail_msg("%s: %s: %s", rows[i].name, problem_kind_name(p.kind), p.sub_count ? p.subs[0].detail : p.detail);
	}
}

/* The bug that cost another CA three million certificates: one name checked as often as there were names. */
static void each_name_is_asked_for(void **state)
{
	static const char *const names[] = { "ours.example", "free.example", "theirs.example", "x.nobody.example", "both.example" };
	struct caa_subject v[array_length(names)];
	auto_value(problem) p = {0};

	(void)state;
	for (size_t i = 0; i < array_length(names); i++)
		v[i] = subject_of(names[i]);
	assert_true(caa_check(dns, &identities, v, 2, clock_monotonic_ms() + 5000, &p));
	assert_false(caa_check(dns, &identities, v, array_length(v), clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_CAA);
	assert_int_equal(p.sub_count, 2);
	assert_string_equal(p.subs[0].identifier_value, "theirs.example");
	assert_string_equal(p.subs[1].identifier_value, "x.nobody.example");
	assert_non_null(strstr(p.subs[1].detail, "records at nobody.example"));
}

static void parents_are_asked_for_once(void **state)
{
	struct caa_subject v[20];
	char names[20][32];
	auto_value(problem) p = {0};
	unsigned before = atomic_load(&server.queries);

	(void)state;
	for (size_t i = 0; i < array_length(v); i++) {
		snprintf(names[i], sizeof(names[i]), "host%zu.common.test", i);
		v[i] = subject_of(names[i]);
	}
	assert_true(caa_check(dns, &identities, v, array_length(v), clock_monotonic_ms() + 5000, &p));
	assert_in_range(atomic_load(&server.queries) - before, 22, 30);
}

static void unsigned_answers_do_not_do(void **state)
{
	struct caa_subject subject = subject_of("ours.example");
	auto_value(problem) p = {0};

	(void)state;
	subject.require_dnssec = true;
	assert_false(caa_check(dns, &identities, &subject, 1, clock_monotonic_ms() + 5000, &p));
	assert_int_equal(p.kind, PROBLEM_DNS);
	assert_non_null(strstr(p.subs[0].detail, "not signed with DNSSEC"));
	problem_done(&p);
	subject.value = "missing.example";
	assert_false(caa_check(dns, &identities, &subject, 1, clock_monotonic_ms() + 5000, &p));
	assert_non_null(strstr(p.subs[0].detail, "not signed with DNSSEC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(climbs),
		cmocka_unit_test(each_name_is_asked_for),
		cmocka_unit_test(parents_are_asked_for_once),
		cmocka_unit_test(unsigned_answers_do_not_do),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
