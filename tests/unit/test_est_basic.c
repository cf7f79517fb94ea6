#include "est/basic.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct row {
	const char *header;
	const char *want;        /* NULL: refused */
} rows[] = {
	{ NULL, "" },
	{ "Basic ZDpjb2Rl", "code" },          /* d:code */
	{ "basic   ZDpjb2Rl", "code" },
	{ "Basic OmNvZGU=", "code" },          /* :code */
	{ "Basic Y29kZTo=", "code" },          /* code: */
	{ "Basic Y29kZQ==", "code" },          /* code */
	{ "Basic YTpiOmM=", "b:c" },           /* a:b:c */
	{ "Basic ZDoA", "?" },                 /* d:NUL */
	{ "Basic Og==", "" },                  /* : */
	{ "Basic", NULL }, { "Basic ", NULL }, { "Basic !", NULL }, { "Basic ZDpjb2R", NULL }, { "Digest x", NULL }, { "", NULL },
	{ "BasicZDpjb2Rl", NULL },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct http_header header = { "authorization", rows[i].header };
		const struct http_request request = { .headers = &header, .header_count = rows[i].header ? 1 : 0 };
		char code[BASIC_CODE_SIZE];
		auto_value(problem) p = {0};
		if (basic_code(&request, code, &p) != (rows[i].want != NULL))
			fail_msg("%s: %s", rows[i].header, p.detail);
		if (rows[i].want)
			assert_string_equal(code, rows[i].want);
		else
			assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

static void test_long_ones(void **state)
{
	(void)state;
	for (size_t len = 100; len < 4000; len += 100) {
		auto_value(buf) text = {0}, plain = {0};
		auto_value(problem) p = {0};
		char code[BASIC_CODE_SIZE];
		memset(buf_extend(&plain, len), 'a', len);
		buf_add_str(&text, "Basic ");
		buf_add_base64(&text, buf_bytes(&plain));
		const struct http_header header = { "Authorization", buf_text(&text) };
		const struct http_request request = { .headers = &header, .header_count = 1 };
		if (basic_code(&request, code, &p))
			assert_string_equal(code, len < BASIC_CODE_SIZE ? buf_text(&plain) : "?");
		else
			assert_true(text.len > 1024);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_long_ones) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
