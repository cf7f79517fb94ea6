#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/outbound.h"

static void judges_addresses(void **state)
{
	static const struct {
		const char *addr, *allow, *deny;
		bool want;
	} rows[] = {
		{ "192.0.2.1", NULL, NULL, true },
		{ "10.1.2.3", NULL, NULL, true },        /* private use is what a private PKI serves */
		{ "172.16.0.1", NULL, NULL, true },
		{ "192.168.1.1", NULL, NULL, true },
		{ "100.64.0.1", NULL, NULL, true },
		{ "fd12:3456::1", NULL, NULL, true },
		{ "2001:db8::1", NULL, NULL, true },
		{ "0.0.0.0", NULL, NULL, false },
		{ "0.1.2.3", NULL, NULL, false },
		{ "127.0.0.1", NULL, NULL, false },
		{ "127.255.255.254", NULL, NULL, false },
		{ "128.0.0.1", NULL, NULL, true },
		{ "169.254.0.1", NULL, NULL, false },
		{ "169.254.169.254", NULL, NULL, false },
		{ "169.253.255.255", NULL, NULL, true },
		{ "100.100.100.200", NULL, NULL, false },
		{ "168.63.129.16", NULL, NULL, false },
		{ "192.0.0.192", NULL, NULL, false },
		{ "224.0.0.1", NULL, NULL, false },
		{ "239.255.255.255", NULL, NULL, false },
		{ "223.255.255.255", NULL, NULL, true },
		{ "255.255.255.255", NULL, NULL, false },
		{ "::", NULL, NULL, false },
		{ "::1", NULL, NULL, false },
		{ "::2", NULL, NULL, false },            /* 0.0.0.2 inside */
		{ "100::1", NULL, NULL, false },
		{ "100:0:0:1::1", NULL, NULL, true },
		{ "fd20:ce::254", NULL, NULL, false },
		{ "fd20:ce::253", NULL, NULL, true },
		{ "fe80::1", NULL, NULL, false },
		{ "febf::1", NULL, NULL, false },
		{ "fec0::1", NULL, NULL, false },
		{ "ff02::1", NULL, NULL, false },
		{ "fd00:ec2::254", NULL, NULL, false },
		{ "::ffff:127.0.0.1", NULL, NULL, false },
		{ "::ffff:10.0.0.1", NULL, NULL, true },
		{ "::127.0.0.1", NULL, NULL, false },
		{ "::ffff:0:127.0.0.1", NULL, NULL, false },
		{ "64:ff9b::7f00:1", NULL, NULL, false }, /* 127.0.0.1 */
		{ "64:ff9b::a9fe:a9fe", NULL, NULL, false },
		{ "64:ff9b::c000:201", NULL, NULL, true },
		{ "64:ff9b:1::7f00:1", NULL, NULL, false }, /* of a network's own NAT64 */
		{ "64:ff9b:1:ff::a9fe:a9fe", NULL, NULL, false },
		{ "64:ff9b:1::c000:201", NULL, NULL, true },
		{ "2002:7f00:1::1", NULL, NULL, false },
		{ "2002:c000:201::1", NULL, NULL, true },
		{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", NULL, NULL, false }, /* Teredo, of 192.0.2.45 */
		{ "2001:200::1", NULL, NULL, true },
		/* allow wins over the built-in denial */
		{ "127.0.0.1", "127.0.0.0/8", NULL, true },
		{ "::1", "::1", NULL, true },
		{ "127.0.0.2", "127.0.0.1", NULL, false },
		{ "::ffff:127.0.0.1", "127.0.0.1", NULL, true },
		{ "64:ff9b::7f00:1", "127.0.0.0/8", NULL, false }, /* of what carries it nothing was said */
		/* deny wins over all */
		{ "10.1.2.3", NULL, "10.0.0.0/8", false },
		{ "10.1.2.3", "10.1.2.3", "10.0.0.0/8", false },
		{ "127.0.0.1", "127.0.0.0/8", "127.0.0.1", false },
		{ "11.0.0.1", NULL, "10.0.0.0/8", true },
		{ "64:ff9b::a00:1", NULL, "10.0.0.0/8", false }, /* by whatever way */
		{ "2002:a00:1::1", "2002::/16", "10.0.0.0/8", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(addr_list) allow = {0};
		auto_value(addr_list) deny = {0};
		auto_value(problem) p = {0};
		struct addr a;

		assert_true(addr_parse(rows[i].addr, &a));
		if (rows[i].allow)
			assert_true(addr_list_add(&allow, rows[i].allow, &p));
		if (rows[i].deny)
			assert_true(addr_list_add(&deny, rows[i].deny, &p));
		if (outbound_check(&(struct outbound_rules){ .allow = &allow, .deny = &deny }, &a, &p) != rows[i].want)
			fail_msg("%s (allow %s, deny %s): wanted %d", rows[i].addr, rows[i].allow, rows[i].deny, rows[i].want);
		if (!rows[i].want)
			assert_int_equal(p.kind, PROBLEM_CONNECTION);
	}
}

static void lists_may_be_missing(void **state)
{
	auto_value(problem) p = {0};
	struct addr a;

	(void)state;
	assert_true(addr_parse("192.0.2.1", &a));
	assert_true(outbound_check(&(struct outbound_rules){ 0 }, &a, &p));
	assert_true(addr_parse("127.0.0.1", &a));
	assert_false(outbound_check(&(struct outbound_rules){ 0 }, &a, &p));
	assert_non_null(strstr(p.detail, "127.0.0.1"));
	assert_non_null(strstr(p.detail, "loopback"));
}

static void its_own_listeners_are_denied_unless_allowed(void **state)
{
	auto_value(addr_list) own = {0};
	auto_value(addr_list) allow = {0};
	auto_value(problem) p = {0};
	struct outbound_rules rules = { .own = &own };
	struct addr a;

	(void)state;
	assert_true(addr_list_add(&own, "192.0.2.7", &p) && addr_list_add(&allow, "192.0.2.0/24", &p));
	assert_true(addr_parse("192.0.2.7", &a));
	assert_false(outbound_check(&rules, &a, &p));
	assert_non_null(strstr(p.detail, "own listener"));
	problem_done(&p);
	rules.allow = &allow;
	assert_true(outbound_check(&rules, &a, &p));
	rules.allow = NULL;
	assert_true(addr_parse("192.0.2.8", &a));
	assert_true(outbound_check(&rules, &a, &p));
	assert_true(addr_parse("64:ff9b::192.0.2.7", &a));
	assert_false(outbound_check(&rules, &a, &p));
}

static void networks_of_private_use_are_denied_where_said(void **state)
{
	static const char *const inside[] = {
		"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "64:ff9b::a00:1",
		"192.0.0.8", "198.18.0.1", "198.19.255.255",
	};
	static const char *const outside[] = { "192.0.2.1", "172.32.0.1", "11.0.0.1", "100.128.0.1", "2001:db8::1", "192.0.1.1", "198.20.0.1" };
	auto_value(addr_list) allow = {0};
	auto_value(problem) p = {0};
	struct outbound_rules rules = { .private_denied = true, .allow = &allow };
	struct addr a;

	(void)state;
	for (size_t i = 0; i < array_length(inside); i++) {
		assert_true(addr_parse(inside[i], &a));
		assert_false(outbound_check(&rules, &a, &p));
		assert_non_null(strstr(p.detail, "private"));
		problem_done(&p);
	}
	for (size_t i = 0; i < array_length(outside); i++)
		assert_true(addr_parse(outside[i], &a) && outbound_check(&rules, &a, &p));
	assert_true(addr_list_add(&allow, "10.1.0.0/16", &p));
	assert_true(addr_parse("10.1.2.3", &a) && outbound_check(&rules, &a, &p));
	assert_true(addr_parse("10.2.2.3", &a));
	assert_false(outbound_check(&rules, &a, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_addresses),
		cmocka_unit_test(lists_may_be_missing),
		cmocka_unit_test(networks_of_private_use_are_denied_where_said),
		cmocka_unit_test(its_own_listeners_are_denied_unless_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
