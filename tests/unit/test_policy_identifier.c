#include "policy/identifier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define L61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static const struct row {
	const char *type, *value;
	enum problem_kind want_kind; /* PROBLEM_NONE: parsed */
	const char *want;            /* canonical form, or what the problem says */
} rows[] = {
	{ "dns", "www.example.com", PROBLEM_NONE, "www.example.com" },
	{ "dns", "WWW.Example.COM", PROBLEM_NONE, "www.example.com" },
	{ "dns", "*.Example.com", PROBLEM_NONE, "*.example.com" },
	{ "dns", "localhost", PROBLEM_NONE, "localhost" },
	{ "dns", "*.lan", PROBLEM_NONE, "*.lan" },
	{ "dns", "xn--bcher-kva.example", PROBLEM_NONE, "xn--bcher-kva.example" },
	{ "dns", "www.XN--Bcher-Kva.example", PROBLEM_NONE, "www.xn--bcher-kva.example" },
	{ "dns", "*.xn--p1ai", PROBLEM_NONE, "*.xn--p1ai" },
	{ "dns", "xn--n3h.example", PROBLEM_NONE, "xn--n3h.example" },
	{ "dns", "xn--109-3veba6djs1bfxlfmx6c9g.xn--f1awi.xn--p1ai", PROBLEM_NONE, "xn--109-3veba6djs1bfxlfmx6c9g.xn--f1awi.xn--p1ai" },
	{ "dns", "xn--ihqwcrb4cv8a8dqg056pqjye.example", PROBLEM_NONE, "xn--ihqwcrb4cv8a8dqg056pqjye.example" },
	{ "dns", "xn--.example", PROBLEM_MALFORMED, "\"-\"" },
	{ "dns", "xn--a.example", PROBLEM_MALFORMED, "Punycode" },        /* U+0080, a control */
	{ "dns", "xn--0.example", PROBLEM_MALFORMED, "Punycode" },        /* ends within a number */
	{ "dns", "xn--99999999.example", PROBLEM_MALFORMED, "Punycode" }, /* over 32 bits */
	{ "dns", "xn--43902716a.example", PROBLEM_MALFORMED, "Punycode" }, /* 2^32 over one that is good */
	{ "dns", "xn--ib9b.example", PROBLEM_MALFORMED, "Punycode" },      /* U+D800, a surrogate */
	{ "dns", "xn--zy0c.example", PROBLEM_MALFORMED, "Punycode" },      /* U+DFFF */
	{ "dns", "xn--hb9b.example", PROBLEM_NONE, "xn--hb9b.example" },   /* U+D7FF */
	{ "dns", "xn--a-ecp.example", PROBLEM_NONE, "xn--a-ecp.example" },
	{ "dns", "xn--bcher-kv.example", PROBLEM_MALFORMED, "Punycode" },
	{ "email", "a@xn--0.example", PROBLEM_MALFORMED, "domain" },
	{ "uri", "https://xn--0.example/", PROBLEM_MALFORMED, "host" },
	{ "dns", "1.example", PROBLEM_NONE, "1.example" },
	{ "dns", "4com", PROBLEM_NONE, "4com" },
	{ "dns", "a-b.c--d.example", PROBLEM_NONE, "a-b.c--d.example" },
	{ "dns", L63 ".example", PROBLEM_NONE, L63 ".example" },
	{ "dns", L63 "." L63 "." L63 "." L61, PROBLEM_NONE, L63 "." L63 "." L63 "." L61 },
	{ "dns", L63 "." L63 "." L63 "." L61 "a", PROBLEM_MALFORMED, "253" },
	{ "dns", L63 "0.example", PROBLEM_REJECTED_IDENTIFIER, "63" },
	{ "dns", "", PROBLEM_MALFORMED, "empty" },
	{ "dns", ".", PROBLEM_MALFORMED, "dot" },
	{ "dns", "example.com.", PROBLEM_MALFORMED, "dot" },
	{ "dns", ".example.com", PROBLEM_REJECTED_IDENTIFIER, "empty label" },
	{ "dns", "www..example.com", PROBLEM_REJECTED_IDENTIFIER, "empty label" },
	{ "dns", "*.", PROBLEM_MALFORMED, "dot" },
	{ "dns", "*", PROBLEM_MALFORMED, "character" },
	{ "dns", "*.*.example.com", PROBLEM_MALFORMED, "character" },
	{ "dns", "www.*.example.com", PROBLEM_MALFORMED, "character" },
	{ "dns", "w*.example.com", PROBLEM_MALFORMED, "character" },
	{ "dns", "a_b.example.com", PROBLEM_REJECTED_IDENTIFIER, "_" },
	{ "dns", "_acme-challenge.example.com", PROBLEM_REJECTED_IDENTIFIER, "_" },
	{ "dns", "-a.example.com", PROBLEM_MALFORMED, "\"-\"" },
	{ "dns", "a-.example.com", PROBLEM_MALFORMED, "\"-\"" },
	{ "dns", "b\xc3\xbc" "cher.example", PROBLEM_MALFORMED, "A-label" },
	{ "dns", "www example.com", PROBLEM_MALFORMED, "character" },
	{ "dns", " example.com", PROBLEM_MALFORMED, "character" },
	{ "dns", "example.com\n", PROBLEM_MALFORMED, "character" },
	{ "dns", "example.com/x", PROBLEM_MALFORMED, "character" },
	{ "dns", "example.com:443", PROBLEM_MALFORMED, "character" },
	{ "dns", "example.123", PROBLEM_REJECTED_IDENTIFIER, "number" },
	{ "dns", "123", PROBLEM_REJECTED_IDENTIFIER, "number" },
	{ "dns", "10.0.0.256", PROBLEM_REJECTED_IDENTIFIER, "number" },
	/* inet_aton(3) and browsers take these for IPv4 addresses */
	{ "dns", "0x7f000001", PROBLEM_REJECTED_IDENTIFIER, "number" },
	{ "dns", "127.0.0.0X1", PROBLEM_REJECTED_IDENTIFIER, "number" },
	{ "dns", "host.0x", PROBLEM_REJECTED_IDENTIFIER, "number" },
	{ "dns", "0xhost", PROBLEM_NONE, "0xhost" },
	{ "dns", "0x1.example", PROBLEM_NONE, "0x1.example" },
	{ "uri", "https://0x7f000001/", PROBLEM_MALFORMED, "host" },
	{ "dns", "10.0.0.1", PROBLEM_MALFORMED, "type is \"ip\"" },
	{ "dns", "2001:db8::1", PROBLEM_MALFORMED, "type is \"ip\"" },
	{ "ip", "10.0.0.1", PROBLEM_NONE, "10.0.0.1" },
	{ "ip", "2001:DB8:0:0::1", PROBLEM_NONE, "2001:db8::1" },
	{ "ip", "::", PROBLEM_NONE, "::" },
	{ "ip", "::ffff:10.0.0.1", PROBLEM_MALFORMED, "mapped" },
	{ "ip", "::ffff:a00:1", PROBLEM_MALFORMED, "mapped" },
	{ "ip", "::192.0.2.1", PROBLEM_MALFORMED, "compatible" },
	{ "ip", "::c000:201", PROBLEM_MALFORMED, "compatible" },
	{ "ip", "::1", PROBLEM_NONE, "::1" },
	{ "ip", "010.0.0.1", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "10.1", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "10.0.0.0/8", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "[::1]", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "fe80::1%eth0", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "www.example.com", PROBLEM_MALFORMED, "no IP address" },
	{ "ip", "", PROBLEM_MALFORMED, "no IP address" },
	{ "email", "Ada.L@Example.COM", PROBLEM_NONE, "Ada.L@example.com" },
	{ "email", "a+b=c@x", PROBLEM_NONE, "a+b=c@x" },
	{ "email", "@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "a@", PROBLEM_MALFORMED, "domain" },
	{ "email", "a@b@c", PROBLEM_MALFORMED, "domain" },
	{ "email", "a@*.example.com", PROBLEM_MALFORMED, "domain" },
	{ "email", ".a@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "a.@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "a..b@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "\"a b\"@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "a b@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "\xc3\xa4@example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", "example.com", PROBLEM_MALFORMED, "mail" },
	{ "email", L63 "ab@example.com", PROBLEM_MALFORMED, "mail" },
	{ "uri", "SPIFFE://Example.com/ns/A", PROBLEM_NONE, "spiffe://example.com/ns/A" },
	{ "uri", "https://example.com:8443/a?b=c#d", PROBLEM_NONE, "https://example.com:8443/a?b=c#d" },
	{ "uri", "https://10.0.0.1/", PROBLEM_NONE, "https://10.0.0.1/" },
	{ "uri", "https://example.com", PROBLEM_NONE, "https://example.com" },
	{ "uri", "https://example.com/...", PROBLEM_NONE, "https://example.com/..." },
	{ "uri", "/relative", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "URN:UUID:F81d4fae", PROBLEM_NONE, "urn:uuid:F81d4fae" },
	{ "uri", "urn:dev-1:a/b:c", PROBLEM_NONE, "urn:dev-1:a/b:c" },
	{ "uri", "urn:uuid:", PROBLEM_MALFORMED, "names nothing" },
	{ "uri", "urn:uuid", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "urn:-x:a", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "urn:x:a", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "urn:uuid:a b", PROBLEM_MALFORMED, "character" },
	{ "uri", "urn:uuid:a/../b", PROBLEM_MALFORMED, "names nothing" },
	{ "uri", "tag:example.com,2026:x", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "1http://example.com/", PROBLEM_MALFORMED, "absolute" },
	{ "uri", "https:///path", PROBLEM_MALFORMED, "plain host" },
	{ "uri", "https://a@example.com/", PROBLEM_MALFORMED, "host" },
	{ "uri", "https://example.com:8x/", PROBLEM_MALFORMED, "plain host" },
	{ "uri", "https://*.example.com/", PROBLEM_MALFORMED, "host" },
	{ "uri", "https://exa_mple.com/", PROBLEM_MALFORMED, "host" },
	{ "uri", "https://example.com/a b", PROBLEM_MALFORMED, "character" },
	{ "uri", "https://example.com/%4", PROBLEM_MALFORMED, "character" },
	{ "uri", "spiffe://example.com/roo%74", PROBLEM_MALFORMED, "needs none" },
	{ "uri", "urn:device:%7e7", PROBLEM_MALFORMED, "needs none" },
	{ "uri", "https://example.com/\"", PROBLEM_MALFORMED, "character" },
	{ "uri", "https://example.com/a/../b", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/.", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/%2E%2e/b", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/.%2e?x", PROBLEM_MALFORMED, "dot segment" },
	/* whoever decodes the "/" before he resolves the dots sees such a segment */
	{ "uri", "https://example.com/a/..%2Fb", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/a%2f..%2fb", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/a%2f%2E", PROBLEM_MALFORMED, "dot segment" },
	{ "uri", "https://example.com/a%2f.b", PROBLEM_NONE, "https://example.com/a%2f.b" },
	{ "uri", "urn:dev:a%2f..%2fb", PROBLEM_MALFORMED, "names nothing" },
	{ "uri", "", PROBLEM_MALFORMED, "absolute" },
	/* the device attestation draft, 3.1 */
	{ "permanent-identifier", "ABCDEF123456", PROBLEM_NONE, "ABCDEF123456" },
	{ "permanent-identifier", "ABCDEF123456/1.2.3.4", PROBLEM_NONE, "ABCDEF123456/1.2.3.4" },
	{ "permanent-identifier", "a B:*{}", PROBLEM_NONE, "a B:*{}" },
	{ "permanent-identifier", "Ger\xc3\xa4t", PROBLEM_NONE, "Ger\xc3\xa4t" },
	{ "permanent-identifier", "x/0.0", PROBLEM_NONE, "x/0.0" },
	{ "permanent-identifier", "x/1.39.0", PROBLEM_NONE, "x/1.39.0" },
	{ "permanent-identifier", "x/2.999.1", PROBLEM_NONE, "x/2.999.1" },
	{ "permanent-identifier", "", PROBLEM_MALFORMED, "at least one character" },
	{ "permanent-identifier", "/1.2.3", PROBLEM_MALFORMED, "at least one character" },
	{ "permanent-identifier", "x/", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.2.", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1..2", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/3.1", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.40", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.100", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/2.01", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.2.03", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.2/3", PROBLEM_MALFORMED, "no other" },
	{ "permanent-identifier", "x/a", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x/1.2 ", PROBLEM_MALFORMED, "object identifier" },
	{ "permanent-identifier", "x\xc3", PROBLEM_MALFORMED, "UTF-8" },
	{ "permanent-identifier", "x\n", PROBLEM_REJECTED_IDENTIFIER, "control character" },
	{ "permanent-identifier", "x\x7f", PROBLEM_REJECTED_IDENTIFIER, "control character" },
	{ "permanent-identifier", L63 L63 L63 L63 "abc", PROBLEM_NONE, L63 L63 L63 L63 "abc" },
	{ "permanent-identifier", L63 L63 L63 L63 "abcd", PROBLEM_REJECTED_IDENTIFIER, "too long" },
	{ "permanent-identifier", "x/1.2." "111111111111111111111111111111" "111111111111111111111111111111", PROBLEM_REJECTED_IDENTIFIER, "too long" },
	/* 4.1 */
	{ "hardware-module", "ABCD/1.2.3.4", PROBLEM_NONE, "ABCD/1.2.3.4" },
	{ "hardware-module", "ABCD", PROBLEM_MALFORMED, "OID of the hardware's type" },
	{ "hardware-module", "/1.2.3.4", PROBLEM_MALFORMED, "at least one character" },
	{ "hardware-module", "ABCD/", PROBLEM_MALFORMED, "object identifier" },
	{ "hardware-module", "AB/CD/1.2", PROBLEM_MALFORMED, "no other" },
	{ "hardware-module", L63 L61 "/1.2", PROBLEM_NONE, L63 L61 "/1.2" },
	{ "hardware-module", L63 L61 "abc/1.2", PROBLEM_REJECTED_IDENTIFIER, "too long" },
	{ "hardware-module", "x/2.9111111111111111111.1", PROBLEM_REJECTED_IDENTIFIER, "too long" },
	{ "permanent-identifier", "x/1.2.3.1111111111111111111", PROBLEM_REJECTED_IDENTIFIER, "too long" },
	{ "DNS", "example.com", PROBLEM_UNSUPPORTED_IDENTIFIER, "DNS" },
	{ "", "example.com", PROBLEM_UNSUPPORTED_IDENTIFIER, "" },
};

static void row_check(const struct row *row)
{
	struct identifier i = { .value = "untouched" };
	auto_value(problem) p = {0};
	bool parsed = identifier_parse(row->type, row->value, &i, &p);

	if (p.kind != row->want_kind)
		fail_msg("%s \"%s\": %s (%s)", row->type, row->value, problem_kind_name(p.kind), p.detail);
	assert_int_equal(parsed, row->want_kind == PROBLEM_NONE);
	if (parsed)
		assert_string_equal(i.value, row->want);
	else if (!strstr(p.detail, row->want))
		fail_msg("%s \"%s\": \"%s\" does not say \"%s\"", row->type, row->value, p.detail, row->want);
	if (parsed)
		assert_string_equal(identifier_type_name(i.type), row->type);
	else
		assert_string_equal(i.value, "untouched");
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		row_check(&rows[i]);
}

/* A canonical form is its own canonical form. */
static void test_parse_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct row again = { rows[i].type, rows[i].want, PROBLEM_NONE, rows[i].want };
		if (rows[i].want_kind == PROBLEM_NONE)
			row_check(&again);
	}
}

static struct identifier make(const char *type, const char *value)
{
	struct identifier i;
	struct problem p = {0};

	assert_true(identifier_parse(type, value, &i, &p));
	return i;
}

static void test_wildcard(void **state)
{
	struct identifier plain = make("dns", "example.com"), wildcard = make("dns", "*.example.com");

	(void)state;
	assert_false(identifier_is_wildcard(&plain));
	assert_true(identifier_is_wildcard(&wildcard));
	assert_string_equal(identifier_base(&plain), "example.com");
	assert_string_equal(identifier_base(&wildcard), "example.com");
	assert_false(identifier_equal(&plain, &wildcard));
}

static void test_addr(void **state)
{
	struct identifier i = make("ip", "2001:db8::7");
	struct addr addr;

	(void)state;
	identifier_addr(&i, &addr);
	assert_int_equal(addr_length(&addr), 16);
	assert_int_equal(addr.byte[15], 7);
}

/* The same text of two types is two names. */
static void test_equal_by_type(void **state)
{
	struct identifier dns = make("dns", "example.com"), other = dns;

	(void)state;
	assert_true(identifier_equal(&dns, &other));
	other.type = IDENTIFIER_URI;
	assert_false(identifier_equal(&dns, &other));
}

static void test_set(void **state)
{
	static const char *const values[] = { "c", "a", "b", "a", "d", "c", "e", "a.b" };
	auto_value(identifiers) forward = {0}, backward = {0};
	struct problem p = {0};

	(void)state;
	for (size_t i = 0; i < array_length(values); i++) {
		struct identifier f = make("dns", values[i]), b = make("dns", values[array_length(values) - 1 - i]);
		assert_true(identifiers_add(&forward, &f, &p));
		assert_true(identifiers_add(&backward, &b, &p));
	}
	assert_int_equal(forward.n, 6);
	assert_true(identifiers_equal(&forward, &backward));
	for (size_t i = 1; i < forward.n; i++)
		assert_true(identifier_compare(&forward.v[i - 1], &forward.v[i]) < 0);
	struct identifier missing = make("dns", "f"), there = make("dns", "a.b"), ip = make("ip", "::1");
	assert_false(identifiers_has(&forward, &missing));
	assert_true(identifiers_has(&forward, &there));
	assert_true(identifiers_add(&backward, &ip, &p));
	assert_false(identifiers_equal(&forward, &backward));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_again),
		cmocka_unit_test(test_wildcard),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_equal_by_type),
		cmocka_unit_test(test_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
