#include "acme/certificate_id.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RFC "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" /* RFC 9773, 4.1 */

static void the_example_of_the_rfc(void **state)
{
	static const uint8_t key_id[] = { 0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3,
	                                  0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4 };
	static const uint8_t serial[] = { 0x87, 0x65, 0x43, 0x21 };
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 };
	struct certificate_id id;

	(void)state;
	assert_true(certificate_id_parse(RFC, "the path", &id, &p));
	assert_int_equal(id.key_id_len, sizeof(key_id));
	assert_memory_equal(id.key_id, key_id, sizeof(key_id));
	assert_int_equal(id.serial_len, sizeof(serial));
	assert_memory_equal(id.serial, serial, sizeof(serial));
	certificate_id_write(BYTES(key_id, sizeof(key_id)), BYTES(serial, sizeof(serial)), &text);
	assert_string_equal(buf_text(&text), RFC);
}

static void judges_texts(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "AA.AQ", true },
		{ "AA.fw", true },
		{ "AA.AIA", true },              /* 0x80 */
		{ "AA.AH__________________________8", false }, /* a zero byte before one that needs none */
		{ "AA.AP__________________________8", false }, /* 22 bytes */
		{ "AA.AP_________________________8", true },   /* 20 bytes and the zero byte */
		{ "", false },
		{ ".", false },
		{ "AA", false },
		{ "AA.", false },
		{ ".AQ", false },
		{ "AA.AQ.AQ", false },
		{ "AA.AQ==", false },
		{ "AA==.AQ", false },
		{ "AA.AR", false },              /* unused bits that are not zero */
		{ "AB.AQ", false },
		{ "AA.AA", false },              /* zero */
		{ "AA.gA", false },              /* negative */
		{ "AA.AAE", false },             /* 0x0001 */
		{ "AA .AQ", false },
		{ "A+.AQ", false },
		{ "AA.A/", false },
		{ " AA.AQ", false },
		{ "AA.AQ\n", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = { 0 };
		struct certificate_id id;
		if (certificate_id_parse(rows[i].text, "\"replaces\"", &id, &p) != rows[i].want)
			fail_msg("%s", rows[i].text);
		if (!rows[i].want) {
			assert_int_equal(p.kind, PROBLEM_MALFORMED);
			assert_non_null(strstr(p.detail, "\"replaces\""));
		}
	}
}

static void long_texts_are_refused(void **state)
{
	auto_value(buf) text = { 0 };
	auto_value(problem) p = { 0 };
	struct certificate_id id;

	(void)state;
	for (int i = 0; i < 4096; i++)
		buf_add_str(&text, "AAAA");
	buf_add_str(&text, ".AQ");
	assert_false(certificate_id_parse(buf_text(&text), "the path", &id, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_rfc), cmocka_unit_test(judges_texts),
		cmocka_unit_test(long_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
