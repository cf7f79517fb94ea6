/* What single values of the configuration may be; test_server_config.c has how it is said. */
#include "server/config_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEN "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG FIFTY "." FIFTY "." FIFTY "." FIFTY "." TEN TEN TEN TEN "." /* 4 * 51 + 41 = 245 */

static const struct {
	bool (*rule)(const char *text, struct problem *p);
	const char *text;
	bool want;
} rows[] = {
	{ config_rule_resolver, "192.0.2.53", true },
	{ config_rule_resolver, "2001:db8::1@5353", true },
	{ config_rule_resolver, "192.0.2.53@1", true },
	{ config_rule_resolver, "192.0.2.53@65535", true },
	{ config_rule_resolver, "192.0.2.53@0", false },
	{ config_rule_resolver, "192.0.2.53@", false },
	{ config_rule_resolver, "192.0.2.53@53@53", false },
	{ config_rule_resolver, "", false },
	{ config_rule_resolver, "@53", false },
	/* as long as no address is */
	{ config_rule_resolver, "1:2:3:4:5:6:7:8:9:0:1:2:3:4:5:6:7:8:9:0:1:2:3", false },
	{ config_rule_resolver, "1:2:3:4:5:6:7:8:9:0:1:2:3:4:5:6:7:8:9:0:1:2:3:", false },
	{ config_rule_resolver, LONG "@53", false },
	{ config_rule_zone, "corp.example", true },
	{ config_rule_zone, "_acme-challenge.corp.example", true },
	{ config_rule_zone, "", false },
	{ config_rule_zone, "corp..example", false },
	{ config_rule_zone, "corp example", false },
	{ config_rule_zone, "corp.example\"", false },
	{ config_rule_zone, LONG "12345678", true },   /* 253 characters */
	{ config_rule_zone, LONG "123456789", false },
	{ config_rule_trust_anchor, "/usr/share/dns/root.key", true },
	{ config_rule_trust_anchor, ". DS 20326 8 2 E06D", true },
	{ config_rule_trust_anchor, "corp.example. IN DNSKEY 257 3 13 mdsswUyr", true },
	{ config_rule_trust_anchor, "root.key", false },
	{ config_rule_trust_anchor, "", false },
	/* no second setting of the resolver's */
	{ config_rule_trust_anchor, "/root.key\nmodule-config: iterator", false },
	{ config_rule_trust_anchor, "/root.key\r", false },
	{ config_rule_trust_anchor, ". DS 1 8 2 E0\" \"", false },
};

static void values_are_as_the_rule_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		if (rows[i].rule(rows[i].text, &p) != rows[i].want)
			fail_msg("%zu: %s", i, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_as_the_rule_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
