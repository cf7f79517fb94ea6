#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/own_address.h"

static void lists_what_a_probe_could_reach(void **state)
{
	static const struct {
		const char *address;
		unsigned port;
		const char *addr;
		bool want;
	} rows[] = {
		{ "192.0.2.7", 80, "192.0.2.7", true },
		{ "192.0.2.7", 443, "192.0.2.7", true },
		{ "192.0.2.7", 8443, "192.0.2.7", false }, /* no probe goes to that port */
		{ "2001:db8::7", 443, "2001:db8::7", true },
		{ "192.0.2.7", 80, "192.0.2.8", false },
		{ "0.0.0.0", 80, "127.0.0.1", true }, /* of the loopback interface */
		{ "0.0.0.0", 8080, "127.0.0.1", false },
		{ "::", 443, "127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(addr_list) own = {0};
		auto_value(problem) p = {0};
		auto_free char *address = strdup(rows[i].address);
		struct config_listener listener = { .address = address, .port = rows[i].port };
		struct config config = { .listeners = &listener, .listener_count = 1 };
		struct addr a;

		config.acme.options.http_port = 80;
		config.acme.options.https_port = 443;
		assert_true(own_addresses(&config, &own, &p));
		assert_true(addr_parse(rows[i].addr, &a));
		if (addr_list_has(&own, &a) != rows[i].want)
			fail_msg("%s port %u, %s: wanted %d", rows[i].address, rows[i].port, rows[i].addr, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists_what_a_probe_could_reach) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
