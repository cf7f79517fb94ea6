#include "est/basic.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct row {
	const char *header;
	const char *want_user, *want_password, *want_code; /* NULL: refused */
} rows[] = {
	{ "Basic ZDpjb2Rl", "d", "code", "code" },
	{ "basic   ZDpjb2Rl", "d", "code", "code" },
	{ "Basic OmNvZGU=", "", "code", "code" },
	{ "Basic Y29kZTo=", "code", "", "code" },
	{ "Basic Y29kZQ==", "", "code", "code" },         /* without a colon */
	{ "Basic YTpiOmM=", "a", "b:c", "b:c" },          /* the first colon is the one */
	{ "Basic Og==", "", "", "" },
	{ "Basic w6Q6w7Y=", "ä", "ö", "ö" },
	{ .header = "Basic ZDoA" }, { .header = "Basic ZDoB" },   /* control characters */
	{ .header = "Basic ZDr/" },                           /* no UTF-8 */
	{ .header = "Basic" }, { .header = "Basic " }, { .header = "Basic !" }, { .header = "Basic ZDpjb2R" }, { .header = "Digest x" }, { .header = "" },
	{ .header = "BasicZDpjb2Rl" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct basic basic;
		auto_value(problem) p = {0};
		if (basic_read(rows[i].header, &basic, &p) != (rows[i].want_user != NULL))
			fail_msg("%s: %s", rows[i].header, p.detail);
		if (rows[i].want_user) {
			assert_string_equal(basic.user, rows[i].want_user);
			assert_string_equal(basic.password, rows[i].want_password);
			assert_string_equal(basic_code(&basic), rows[i].want_code);
		} else {
			assert_int_equal(p.kind, PROBLEM_MALFORMED);
		}
	}
}

/* What is longer than any of ours is nobody's. */
static void test_long_ones(void **state)
{
	(void)state;
	for (size_t len = 100; len < 4000; len += 50) {
		auto_value(buf) text = {0}, plain = {0};
		auto_value(problem) p = {0};
		struct basic basic;
		memset(buf_extend(&plain, len), 'a', len);
		buf_add_str(&text, "Basic ");
		buf_add_base64(&text, buf_bytes(&plain));
		if (basic_read(buf_text(&text), &basic, &p))
			assert_string_equal(basic_code(&basic), len < BASIC_PASSWORD_SIZE ? buf_text(&plain) : "?");
		else
			assert_true(text.len > 1024);
		assert_int_equal(problem_is_set(&p), text.len > 1024);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_long_ones) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
