#include "policy/likeness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct row {
	enum csr_other_type type; /* CSR_OTHER_UNREADABLE: a common name */
	const char *value;
	const char *want;         /* NULL: no name */
	enum identifier_type want_type;
} rows[] = {
	{ CSR_OTHER_UNREADABLE, "www.example.com", "www.example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_UNREADABLE, "*.Example.com", "*.example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_UNREADABLE, "192.0.2.1", "192.0.2.1", IDENTIFIER_IP },
	{ CSR_OTHER_UNREADABLE, "2001:DB8::1", "2001:db8::1", IDENTIFIER_IP },
	{ CSR_OTHER_UNREADABLE, "ada@Example.com", "ada@example.com", IDENTIFIER_EMAIL },
	/* other spellings of the same: a final dot, an IPv4-mapped address, a joiner that nobody sees */
	{ CSR_OTHER_UNREADABLE, "www.example.com.", "www.example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_UNREADABLE, "192.0.2.1.", "192.0.2.1", IDENTIFIER_IP },
	{ CSR_OTHER_UNREADABLE, "::ffff:192.0.2.1", "192.0.2.1", IDENTIFIER_IP },
	{ CSR_OTHER_UNREADABLE, "::FFFF:c000:201", "192.0.2.1", IDENTIFIER_IP },
	{ CSR_OTHER_UNREADABLE, "w\xe2\x80\x8dww.exam\xe2\x80\x8cple.com", "www.example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_UNREADABLE, "ada@example.com.", "ada@example.com", IDENTIFIER_EMAIL },
	{ CSR_OTHER_UNREADABLE, "www.example.com..", NULL, 0 },
	{ CSR_OTHER_UNREADABLE, ".", NULL, 0 },
	{ CSR_OTHER_UNREADABLE, "device7", NULL, 0 },
	{ CSR_OTHER_UNREADABLE, "Ada M. Lovelace", NULL, 0 },
	{ CSR_OTHER_UNREADABLE, "", NULL, 0 },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.9:\xc3\xbc@example.com", "\xc3\xbc@example.com", IDENTIFIER_EMAIL },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.9:nobody", NULL, 0 },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.7:_imap.example.com", "example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.7:example.com", "example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.8:example.com", "example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.8:example.com.", "example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.8:exam\xe2\x80\x8dple.com", "example.com", IDENTIFIER_DNS },
	{ CSR_OTHER_TEXT, "1.3.6.1.5.5.7.8.5:a@example.com", NULL, 0 },
	{ CSR_OTHER_UPN, "1.3.6.1.5.5.7.8.8:example.com", NULL, 0 },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct csr_other_name other = { .type = rows[i].type };
		struct identifier name = {0};
		snprintf(other.value, sizeof(other.value), "%s", rows[i].value);
		bool like = rows[i].type == CSR_OTHER_UNREADABLE ? likeness_of_text(rows[i].value, &name) : likeness_of_other(&other, &name);
		if (like != (rows[i].want != NULL))
			fail_msg("\"%s\"", rows[i].value);
		if (!like)
			continue;
		assert_string_equal(name.value, rows[i].want);
		assert_int_equal(name.type, rows[i].want_type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
