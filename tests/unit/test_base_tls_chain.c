#include "base/tls_chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

/* A certificate of version 1, as far as it is read, 27 bytes (0x1b); one whose curve is spelt out, 35 (0x23); and that
 * after it was looked at. */
#define REST(length) length "020105" "3000" "3000" "3000" "3000"
#define PLAIN "3019" REST("3017") "300a" "3005" "06032b6570" "030100"
#define OWN_REST "21" REST("301f") "3012" "300e" "06072a8648ce3d0201" "3003020101"
#define OWN "30" OWN_REST "0300"
#define BLOT "00" OWN_REST "0300"

static const struct {
	const char *hex;
	bool tls13;
	const char *want;      /* NULL: as it was */
} messages[] = {
	{ "000000", false, NULL },
	{ "00000000", true, NULL },
	{ "00003c" "00001b" PLAIN "00001b" PLAIN, false, NULL },
	{ "00" "000044" "00001b" PLAIN "0004deadbeef" "00001b" PLAIN "0000", true, NULL },
	{ "000026" "000023" OWN, false, "000026" "000023" BLOT },
	{ "000044" "00001b" PLAIN "000023" OWN, false, "000044" "00001b" PLAIN "000023" BLOT },
	{ "00006a" "000023" OWN "000023" OWN "00001b" PLAIN, false, "00006a" "000023" BLOT "000023" BLOT "00001b" PLAIN },
	{ "00" "000028" "000023" OWN "0000", true, "00" "000028" "000023" BLOT "0000" },
	{ "01ff" "000028" "000023" OWN "0000", true, "01ff" "000028" "000023" BLOT "0000" },
	{ "000026" "000023" OWN "0500", false, "000026" "000023" BLOT "0500" },   /* something follows */
	{ "000029" "000023" OWN "000001", false, "000029" "000023" BLOT "000001" }, /* the next one is cut */
	{ "00" "000026" "000023" OWN, true, "00" "000026" "000023" BLOT },        /* without its extensions */
	{ "000004" "000001" "05", false, "000004" "000001" "00" },                /* no certificate at all */
	{ "000003" "000000", false, NULL },
	{ "000027" "000023" OWN, false, NULL },  /* longer than the message: nothing of it is decoded */
	{ "000025" "000023" OWN, false, NULL },  /* shorter than the message */
	{ "ffffff" "000023" OWN, false, NULL },
	{ "", false, NULL },
	{ "0000", false, NULL },
	{ "", true, NULL },
	{ "ff", true, NULL },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(messages); i++) {
		auto_value(buf) message = {0}, want = {0};

		make_hex(&message, messages[i].hex);
		make_hex(&want, messages[i].want ?: messages[i].hex);
		tls_chain_blot(message.data, message.len, messages[i].tls13);
		if (!bytes_equal(buf_bytes(&message), buf_bytes(&want)))
			fail_msg("row %zu: %s", i, messages[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
