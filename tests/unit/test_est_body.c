#include "est/body.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* "0\x03\x02\x01\x05" in many dresses; what is no DER inside is for who parses it to say. */
#define DER "\x30\x03\x02\x01\x05"
#define PEM(label, text) "-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"

static const struct row {
	const char *body;
	size_t len;              /* 0: strlen */
	const char *want;        /* DER, or what the refusal says */
	bool refused;
} rows[] = {
	{ "MAMCAQU=", 0, DER, false },
	{ "MAMCAQU=\n", 0, DER, false },
	{ " \r\n\tMAMCAQU=\r\n", 0, DER, false },
	{ "M A\nM\r\nC\tA QU =", 0, DER, false },
	{ DER, 5, DER, false },
	{ "\n" DER, 6, DER, false },
	{ PEM("CERTIFICATE REQUEST", "MAMCAQU="), 0, DER, false },
	{ PEM("NEW CERTIFICATE REQUEST", "MAMCAQU="), 0, DER, false },
	{ "Certificate Request:\n    Data:\n" PEM("CERTIFICATE REQUEST", "MAMCAQU="), 0, DER, false },
	{ "", 0, "empty", true },
	{ " \r\n", 0, "empty", true },
	{ "MAMCAQU", 0, "neither base64", true },
	{ "MAMCAQU=!", 0, "neither base64", true },
	{ "MAMC\0AQU=", 9, "neither base64", true },
	{ "{\"csr\": 1}", 0, "neither base64", true },
	{ PEM("CERTIFICATE", "MAMCAQU="), 0, "CERTIFICATE REQUEST", true },
	{ "-----BEGIN CERTIFICATE REQUEST-----\nMAMC", 0, "", true },
	{ PEM("CERTIFICATE REQUEST", "MAMCAQU=") PEM("CERTIFICATE REQUEST", "MAMCAQY="), 0, "more than one", true },
	{ PEM("CERTIFICATE REQUEST", "MAMCAQU=") PEM("NEW CERTIFICATE REQUEST", "MAMCAQY="), 0, "more than one", true },
	{ PEM("CERTIFICATE REQUEST", "MAMCAQU=") PEM("CERTIFICATE", "MAMCAQY="), 0, DER, false },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct row *row = &rows[i];
		auto_value(buf) der = {0};
		auto_value(problem) p = {0};
		struct bytes body = BYTES(row->body, row->len > 0 ? row->len : strlen(row->body));
		bool read = body_read(body, &der, &p);
		if (read == row->refused)
			fail_msg("row %zu: %s", i, p.detail);
		if (read)
			assert_true(bytes_equal(buf_bytes(&der), BYTES_STR(row->want)));
		else if (p.kind != PROBLEM_MALFORMED || !strstr(p.detail, row->want) || der.len > 0)
			fail_msg("row %zu: %s %s", i, problem_kind_name(p.kind), p.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
