#include "server/tls_chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

/* A certificate of version 1, as far as it is read: 27 bytes (0x1b). */
#define PLAIN "3019" "3017" "020105" "3000" "3000" "3000" "3000" "300a" "3005" "06032b6570" "030100"

static const struct {
	const char *hex;
	bool tls13, want;
} messages[] = {
	{ "000000", false, true },                /* none */
	{ "00000000", true, true },
	{ "00001e" "00001b" PLAIN, false, true },
	{ "00003c" "00001b" PLAIN "00001b" PLAIN, false, true },
	{ "00" "000020" "00001b" PLAIN "0000", true, true },
	{ "00" "000044" "00001b" PLAIN "0004deadbeef" "00001b" PLAIN "0000", true, true },
	{ "01ff" "000020" "00001b" PLAIN "0000", true, true },  /* libssl says what it thinks of the context */
	{ "00" "00001e" "00001b" PLAIN, true, false },          /* without extensions */
	{ "000020" "00001b" PLAIN "0000", false, false },       /* with extensions */
	{ "00001e" "00001b" PLAIN "00", false, false },         /* something follows */
	{ "00001f" "00001b" PLAIN "00", false, false },
	{ "00001d" "00001b" PLAIN, false, false },
	{ "00001e" "00001c" PLAIN, false, false },
	{ "ffffff" "00001b" PLAIN, false, false },
	{ "000003" "000000", false, false },                    /* an empty one */
	{ "", false, false },
	{ "0000", false, false },
	{ "", true, false },
	{ "ff", true, false },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(messages); i++) {
		auto_value(buf) message = {0};

		make_hex(&message, messages[i].hex);
		if (tls_chain_is_plain(buf_bytes(&message), messages[i].tls13) != messages[i].want)
			fail_msg("row %zu: %s", i, messages[i].hex);
	}
}

/* Wherever in the chain it stands. */
static void test_one_that_is_not_plain(void **state)
{
	(void)state;
	for (size_t at = 0; at < 3; at++) {
		auto_value(buf) list = {0}, message = {0};

		for (size_t i = 0; i < 3; i++)
			make_hex(&list, i == at ? "000022" "3020" "301e" "020105" "3000300030003000" "3011" "300e" "06072a8648ce3d0201" "3003020101" "0300"
			                        : "00001b" PLAIN);
		make_hex(&message, "0000");
		buf_add_char(&message, (char)list.len);
		buf_add(&message, list.data, list.len);
		assert_false(tls_chain_is_plain(buf_bytes(&message), false));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_one_that_is_not_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
