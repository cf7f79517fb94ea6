#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/addr.h"

static void addresses_are_parsed(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7" }, { "0.0.0.0", "0.0.0.0" }, { "255.255.255.255", "255.255.255.255" },
		{ "::", "::" }, { "::1", "::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },              /* RFC 5952, 4.2 and 4.3 */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },     /* 4.2.2: one zero is not shortened */
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },        /* 4.2.3: the first of equal runs */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "fe80::0001", "fe80::1" },
		{ "::ffff:192.0.2.7", "192.0.2.7" }, { "::ffff:c000:207", "192.0.2.7" }, { "::FFFF:127.0.0.1", "127.0.0.1" },
		{ "64:ff9b::192.0.2.7", "64:ff9b::c000:207" },
		{ "", NULL }, { "127.1", NULL }, { "127.0.0.01", NULL }, { "0x7f.0.0.1", NULL }, { "2130706433", NULL },
		{ "127.0.0.1 ", NULL }, { " 127.0.0.1", NULL }, { "127.0.0.1:80", NULL }, { "256.0.0.1", NULL }, { "1.2.3", NULL },
		{ "1.2.3.4.5", NULL }, { "[::1]", NULL }, { "fe80::1%eth0", NULL }, { "fe80::1%1", NULL }, { ":::", NULL },
		{ "1:2:3:4:5:6:7", NULL }, { "1:2:3:4:5:6:7:8:9", NULL }, { "::1::", NULL }, { "12345::", NULL }, { "::g", NULL },
		{ "localhost", NULL }, { "::1/128", NULL }, { "1.2.3.4/32", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		char text[ADDR_TEXT_SIZE];
		struct addr a;
		assert_int_equal(addr_parse(rows[i].text, &a), rows[i].want != NULL);
		if (!rows[i].want)
			continue;
		addr_format(&a, text);
		assert_string_equal(text, rows[i].want);
		assert_int_equal(addr_length(&a), strchr(rows[i].want, ':') ? 16 : 4);
	}
}

static void longest_text_fits(void **state)
{
	struct addr a = { .family = AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	(void)state;
	memset(a.byte, 0xff, sizeof(a.byte));
	addr_format(&a, text);
	assert_string_equal(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void equality_knows_the_family(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7", true }, { "192.0.2.7", "::ffff:192.0.2.7", true }, { "::1", "0:0::1", true },
		{ "192.0.2.7", "192.0.2.8", false }, { "::1", "::2", false }, { "0.0.0.0", "::", false }, { "::192.0.2.7", "192.0.2.7", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct addr a, b;
		assert_true(addr_parse(rows[i].a, &a) && addr_parse(rows[i].b, &b));
		assert_int_equal(addr_equal(&a, &b), rows[i].want);
	}
}

static void sockaddrs_are_read(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 80 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = 80, .sin6_scope_id = 3 };
	struct sockaddr un = { .sa_family = AF_UNIX };
	struct addr got, want;

	(void)state;
	assert_true(addr_parse("192.0.2.7", &want));
	inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
	assert_true(addr_from_sockaddr((const struct sockaddr *)&in, &got));
	assert_true(addr_equal(&got, &want));
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
	assert_true(addr_from_sockaddr((const struct sockaddr *)&in6, &got));
	assert_true(addr_equal(&got, &want));
	inet_pton(AF_INET6, "2001:db8::7", &in6.sin6_addr);
	assert_true(addr_from_sockaddr((const struct sockaddr *)&in6, &got) && addr_parse("2001:db8::7", &want));
	assert_true(addr_equal(&got, &want));
	assert_false(addr_from_sockaddr(&un, &got));
}

static void networks_hold_their_addresses(void **state)
{
	static const struct {
		const char *net, *inside[3], *outside[3];
	} rows[] = {
		{ "10.0.0.0/8", { "10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3" }, { "9.255.255.255", "11.0.0.0", "::10.0.0.1" } },
		{ "192.0.2.7", { "192.0.2.7" }, { "192.0.2.6", "192.0.2.8" } },
		{ "192.0.2.7/32", { "192.0.2.7" }, { "192.0.2.6" } },
		{ "0.0.0.0/0", { "0.0.0.0", "255.255.255.255" }, { "::", "::1" } },
		{ "172.16.0.0/12", { "172.16.0.0", "172.31.255.255" }, { "172.15.255.255", "172.32.0.0" } },
		{ "192.0.2.128/25", { "192.0.2.128", "192.0.2.255" }, { "192.0.2.127" } },
		{ "192.0.2.6/31", { "192.0.2.6", "192.0.2.7" }, { "192.0.2.5", "192.0.2.8" } },
		{ "::1", { "::1" }, { "::", "::2", "0.0.0.1" } },
		{ "::/0", { "::", "2001:db8::1" }, { "192.0.2.7", "::ffff:192.0.2.7" } },
		{ "fe80::/10", { "fe80::1", "febf:ffff::" }, { "fe7f::", "fec0::" } },
		{ "fc00::/7", { "fc00::", "fdff::1" }, { "fbff::", "fe00::" } },
		{ "2001:db8::/127", { "2001:db8::", "2001:db8::1" }, { "2001:db8::2" } },
		{ "::ffff:10.0.0.0/104", { "10.1.2.3", "::ffff:10.1.2.3" }, { "11.0.0.0", "::10.1.2.3" } },
		{ "::ffff:0.0.0.0/96", { "10.1.2.3", "255.0.0.1" }, { "::1" } },
		{ "::ffff:192.0.2.7", { "192.0.2.7" }, { "192.0.2.8" } },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct addr_net net;
		struct addr a;
		assert_true(addr_net_parse(rows[i].net, &net));
		for (size_t j = 0; j < 3; j++) {
			if (rows[i].inside[j])
				assert_true(addr_parse(rows[i].inside[j], &a) && addr_net_has(&net, &a));
			if (rows[i].outside[j])
				assert_true(addr_parse(rows[i].outside[j], &a) && !addr_net_has(&net, &a));
		}
	}
}

static void what_is_no_network(void **state)
{
	static const char *const rows[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/ 8",
		"10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.1/8", "10/8", "10.0.0/8", "192.0.2.7/31", "fe80::1/10",
		"::1/127", "::ffff:10.0.0.1/104", "::ffff:10.0.0.0/8", "::ffff:0:0/95", "10.0.0.0/4294967304", "example.com/8",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8", "10.0.0.0/256",
	};
	struct addr_net net;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_false(addr_net_parse(rows[i], &net));
}

static void list_is_the_union(void **state)
{
	auto_value(addr_list) list = {0};
	auto_value(problem) p = {0};
	struct addr a;

	(void)state;
	assert_true(addr_parse("::1", &a));
	assert_false(addr_list_has(&list, &a));
	assert_true(addr_list_add(&list, "127.0.0.0/8", &p) && addr_list_add(&list, "::1", &p));
	assert_false(addr_list_add(&list, "127.0.0.1/8", &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	assert_non_null(strstr(p.detail, "\"127.0.0.1/8\""));
	assert_int_equal(list.n, 2);
	assert_true(addr_list_has(&list, &a));
	assert_true(addr_parse("127.9.9.9", &a) && addr_list_has(&list, &a));
	assert_true(addr_parse("128.0.0.1", &a) && !addr_list_has(&list, &a));
}

static void host_is_the_network_of_ipv6(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7" }, { "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" }, { "2001:db8:1:2::", "2001:db8:1:2::" },
		{ "2001:db8:1:2:ff00::", "2001:db8:1:2::" }, { "2001:db8:1:ff::1", "2001:db8:1:ff::" }, { "::1", "::" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		char text[ADDR_TEXT_SIZE];
		struct addr a;

		assert_true(addr_parse(rows[i].text, &a));
		addr_format_host(&a, text);
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_parsed),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(equality_knows_the_family),
		cmocka_unit_test(sockaddrs_are_read),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(what_is_no_network),
		cmocka_unit_test(list_is_the_union),
		cmocka_unit_test(host_is_the_network_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
