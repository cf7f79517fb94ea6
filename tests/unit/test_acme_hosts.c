#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "acme/hosts.h"

static const char file[] =
	"# a comment\n"
	"127.0.0.1\tlocalhost demo.localhost\n"
	"::1 localhost   ip6-localhost\r\n"
	"\n"
	"   10.0.0.7 Host.Example. host  # not.this\n"
	"10.0.0.8 host.example\n"
	"10.0.0.300 broken.example\n"
	"fe80::1%eth0 broken.example\n"
	"10.0.0.9\n"
	"10.0.0.10 last.example";

static void names_are_found(void **state)
{
	static const struct {
		const char *name;
		int family;
		const char *want[3];
	} rows[] = {
		{ "localhost", AF_INET, { "127.0.0.1" } },
		{ "localhost", AF_INET6, { "::1" } },
		{ "demo.localhost", AF_INET, { "127.0.0.1" } },
		{ "demo.localhost", AF_INET6, { NULL } },
		{ "ip6-localhost", AF_INET6, { "::1" } },
		{ "host.example", AF_INET, { "10.0.0.7", "10.0.0.8" } },
		{ "HOST.example.", AF_INET, { "10.0.0.7", "10.0.0.8" } },
		{ "host", AF_INET, { "10.0.0.7" } },
		{ "not.this", AF_INET, { NULL } },
		{ "broken.example", AF_INET, { NULL } },
		{ "broken.example", AF_INET6, { NULL } },
		{ "10.0.0.9", AF_INET, { NULL } },
		{ "last.example", AF_INET, { "10.0.0.10" } },
		{ "ast.example", AF_INET, { NULL } },
		{ "last.exampl", AF_INET, { NULL } },
		{ "", AF_INET, { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct addr found[3];
		size_t n = hosts_find(BYTES_STR(file), rows[i].name, rows[i].family, found, 3), want = 0;

		for (; want < n && rows[i].want[want]; want++) {
			char text[ADDR_TEXT_SIZE];

			addr_format(&found[want], text);
			assert_string_equal(text, rows[i].want[want]);
		}
		assert_int_equal(n, want);
		assert_null(rows[i].want[want]);
	}
}

static void no_more_than_asked_for(void **state)
{
	struct addr found[1];

	(void)state;
	assert_int_equal(hosts_find(BYTES_STR(file), "host.example", AF_INET, found, 1), 1);
	assert_int_equal(hosts_find(BYTES_STR(file), "host.example", AF_INET, found, 0), 0);
}

static void foreign_bytes_are_passed_over(void **state)
{
	static const char odd[] = "10.0.0.1\0 a\n\0\0\n10.0.0.2 a\0b a\n#";
	struct addr found[3];
	char text[ADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(hosts_find(BYTES(odd, sizeof(odd) - 1), "a", AF_INET, found, 3), 1);
	addr_format(&found[0], text);
	assert_string_equal(text, "10.0.0.2");
	assert_int_equal(hosts_find(BYTES(NULL, 0), "a", AF_INET, found, 3), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(no_more_than_asked_for),
		cmocka_unit_test(foreign_bytes_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
