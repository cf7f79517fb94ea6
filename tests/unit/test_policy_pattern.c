#include "policy/pattern.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct match {
	const char *type, *pattern, *value;
	bool want_matches;
	bool want_touches;
} matches[] = {
	{ "dns", "example.com", "example.com", true, true },
	{ "dns", "Example.COM", "example.com", true, true },
	{ "dns", "example.com", "www.example.com", false, false },
	{ "dns", "example.com", "example.com.evil.example", false, false },
	{ "dns", "example.com", "notexample.com", false, false },
	{ "dns", "example.com", "*.example.com", false, false },
	{ "dns", "*.example.com", "www.example.com", true, true },
	{ "dns", "*.EXAMPLE.com", "www.example.com", true, true },
	{ "dns", "*.example.com", "*.example.com", true, true },
	{ "dns", "*.example.com", "example.com", false, false },
	{ "dns", "*.example.com", "a.b.example.com", false, false },
	{ "dns", "*.example.com", "*.b.example.com", false, false },
	{ "dns", "*.example.com", "wwwexample.com", false, false },
	{ "dns", "**.example.com", "www.example.com", true, true },
	{ "dns", "**.example.com", "a.b.c.example.com", true, true },
	{ "dns", "**.example.com", "*.example.com", true, true },
	{ "dns", "**.example.com", "*.b.example.com", true, true },
	{ "dns", "**.example.com", "example.com", false, false },
	{ "dns", "**.example.com", "example.com.evil.example", false, false },
	{ "dns", "**.b.example.com", "*.example.com", false, false },
	{ "dns", "*", "example.com", true, true },
	{ "dns", "*", "*.example.com", true, true },
	{ "dns", "secret.example.com", "*.example.com", false, true },
	{ "dns", "SECRET.example.com", "*.example.com", false, true },
	{ "dns", "a.secret.example.com", "*.example.com", false, false },
	{ "dns", "secret.example.org", "*.example.com", false, false },
	{ "dns", "example.com", "*.com", false, true },
	{ "ip", "10.0.0.0/8", "10.1.2.3", true, true },
	{ "uri", "https://evil.example/*", "https://evil.example/x", true, true },
	{ "uri", "https://evil.example/*", "https://evil.example", false, true },
	{ "uri", "https://evil.example/*", "https://evil.example?x", false, true },
	{ "uri", "https://evil.example/*", "https://evil.example#x", false, true },
	{ "uri", "https://evil.example/*", "https://evil.example:443/x", false, true },
	{ "uri", "https://evil.example/*", "https://evil.example:", false, true },
	{ "uri", "https://evil.example/a", "https://evil.example:8443/a", false, true },
	{ "uri", "https://evil.example/a", "https://evil.example:8443/b", false, false },
	{ "uri", "https://evil.example:1/*", "https://evil.example/x", false, false },
	{ "uri", "https://evil.example/*", "https://evil.example.good/", false, false },
	{ "uri", "https://evil.example/*", "http://evil.example/", false, false },
	{ "uri", "urn:evil:*", "urn:good:x", false, false },
	{ "ip", "10.0.0.0/8", "11.1.2.3", false, false },
	{ "ip", "10.1.2.3", "10.1.2.3", true, true },
	{ "ip", "10.1.2.3", "10.1.2.4", false, false },
	{ "ip", "2001:db8::/32", "2001:db8:1::1", true, true },
	{ "ip", "2001:db8::/32", "2001:db9::1", false, false },
	{ "ip", "0.0.0.0/0", "::1", false, false },
	{ "ip", "*", "::1", true, true },
	{ "email", "ada@example.com", "ada@example.com", true, true },
	{ "email", "ada@Example.com", "ada@example.com", true, true },
	{ "email", "Ada@example.com", "ada@example.com", false, true },
	{ "email", "@example.com", "ada@example.com", true, true },
	{ "email", "@EXAMPLE.com", "ada@example.com", true, true },
	{ "email", "@example.com", "ada@www.example.com", false, false },
	{ "email", "*", "ada@example.com", true, true },
	{ "uri", "spiffe://example.com/ns/a", "spiffe://example.com/ns/a", true, true },
	{ "uri", "SPIFFE://example.com/ns/a", "spiffe://example.com/ns/a", true, true },
	{ "uri", "spiffe://example.com/ns/a", "spiffe://example.com/ns/ab", false, false },
	{ "uri", "spiffe://example.com/ns/*", "spiffe://example.com/ns/ab", true, true },
	{ "uri", "spiffe://example.com/ns/*", "spiffe://example.com/nsx", false, false },
	{ "uri", "*", "spiffe://example.com/", true, true },
	{ "uri", "urn:device:*", "urn:device:7", true, true },
	{ "uri", "URN:Device:a*", "urn:device:a7", true, true },
	{ "uri", "urn:device:*", "urn:devices:7", false, false },
	{ "uri", "urn:device:7", "urn:device:77", false, false },
	{ "permanent-identifier", "LAB-*", "LAB-1", true, true },
	{ "permanent-identifier", "LAB-*", "lab-1", false, false },
	{ "permanent-identifier", "LAB-*", "XLAB-1", false, false },
	{ "permanent-identifier", "LAB-1", "LAB-1/1.2.3", false, false },
	{ "permanent-identifier", "LAB-1/*", "LAB-1/1.2.3", true, true },
	{ "permanent-identifier", "*/1.2.3", "a/1.2.3", true, true },
	{ "permanent-identifier", "*/1.2.3", "a/0.1.2.3", false, false },
	{ "permanent-identifier", "*", "a b", true, true },
	{ "permanent-identifier", "a.example", "b.a.example", false, false },
	{ "hardware-module", "*/1.2.3", "S N 7/1.2.3", true, true },
	{ "hardware-module", "7/1.2.3", "77/1.2.3", false, false },
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(matches); i++) {
		const struct match *m = &matches[i];
		struct identifier name;
		struct problem p = {0};

		assert_true(identifier_parse(m->type, m->value, &name, &p));
		if (!pattern_check(name.type, m->pattern, &p))
			fail_msg("%s: %s", m->pattern, p.detail);
		if (pattern_matches(name.type, m->pattern, &name) != m->want_matches ||
		    pattern_touches(name.type, m->pattern, &name) != m->want_touches)
			fail_msg("\"%s\" and \"%s\"", m->pattern, m->value);
	}
}

static const struct {
	const char *type, *pattern;
} malformed[] = {
	{ "dns", "" }, { "dns", "**" }, { "dns", "*." }, { "dns", "**." }, { "dns", "*.*.example.com" },
	{ "dns", "***.example.com" }, { "dns", "w*.example.com" }, { "dns", "www.*" }, { "dns", "example.com." },
	{ "dns", ".example.com" }, { "dns", "10.0.0.1" }, { "dns", "exa mple.com" },
	{ "ip", "" }, { "ip", "10.0.0.1/8" }, { "ip", "10.0.0.0/33" }, { "ip", "example.com" }, { "ip", "10.*" },
	{ "email", "" }, { "email", "@" }, { "email", "@*.example.com" }, { "email", "example.com" }, { "email", "*@example.com" },
	{ "uri", "" }, { "uri", "https://*" }, { "uri", "https://example.com*" }, { "uri", "spiffe:*" }, { "uri", "urn:*" }, { "uri", "urn:dev*" }, { "uri", "https://example.com:*" }, { "uri", "/x" },
	{ "uri", "https://example.com/../*" }, { "permanent-identifier", "" },
};

static void test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(malformed); i++) {
		enum identifier_type type;
		struct problem p = {0};

		assert_true(identifier_type_from(malformed[i].type, &type));
		if (pattern_check(type, malformed[i].pattern, &p))
			fail_msg("%s pattern \"%s\" passed", malformed[i].type, malformed[i].pattern);
		assert_true(p.kind == PROBLEM_MALFORMED || p.kind == PROBLEM_REJECTED_IDENTIFIER);
	}
}

/* A pattern of one type means no name of another. */
static void test_other_type(void **state)
{
	struct identifier name;
	struct problem p = {0};

	(void)state;
	assert_true(identifier_parse("dns", "example.com", &name, &p));
	assert_false(pattern_matches(IDENTIFIER_IP, "*", &name));
	assert_false(pattern_matches(IDENTIFIER_URI, "*", &name));
}

/* The text of an otherName, which no CSR's mail address can be: its mailbox has an "@" of its own (RFC 9598). */
static void test_quoted_mailbox(void **state)
{
	const struct identifier mail = { IDENTIFIER_EMAIL, "\"a@b.example\"@Denied.example" };

	(void)state;
	assert_true(pattern_touches(IDENTIFIER_EMAIL, "@denied.example", &mail));
	assert_false(pattern_touches(IDENTIFIER_EMAIL, "@b.example", &mail));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_other_type),
		cmocka_unit_test(test_quoted_mailbox),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
