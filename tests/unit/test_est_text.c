#include "est/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/base64.h"

/* DER sizes whose base64 is just below and just at a thousand characters. */
static const struct row {
	size_t size;
	const char *header;      /* that the request has, or NULL */
	size_t want_longest;
	enum label_wrap wrap;
} rows[] = {
	{ 0, "User-Agent", 0, LABEL_WRAP_AUTO }, { 1, "User-Agent", 4, LABEL_WRAP_AUTO }, { 747, "User-Agent", 996, LABEL_WRAP_AUTO }, { 747, NULL, 996, LABEL_WRAP_AUTO },
	{ 748, "User-Agent", 64, LABEL_WRAP_AUTO }, { 748, "Accept", 1000, LABEL_WRAP_AUTO }, { 748, "Host", 1000, LABEL_WRAP_AUTO }, { 748, NULL, 1000, LABEL_WRAP_AUTO }, { 6000, "user-agent", 64, LABEL_WRAP_AUTO }, { 6000, "Accept", 8000, LABEL_WRAP_AUTO },
	{ 6000, NULL, 8000, LABEL_WRAP_AUTO }, { 747, "Host", 64, LABEL_WRAP_LINES }, { 6000, "User-Agent", 8000, LABEL_WRAP_NEVER }, { 6000, NULL, 64, LABEL_WRAP_LINES },
};

static void test_lines(void **state)
{
	static const uint8_t data[6000];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct http_header header = { rows[i].header, "x" };
		const struct http_request request = { .headers = &header, .header_count = rows[i].header ? 1 : 0 };
		const struct label label = { .wrap = rows[i].wrap };
		const struct est_call call = { .request = &request, .label = &label };
		auto_value(buf) text = {0}, back = {0};
		size_t longest = 0;
		text_wrap(&call, BYTES(data, rows[i].size), &text);
		for (size_t at = 0; at < text.len;) {
			size_t line = strcspn(buf_text(&text) + at, "\n");
			assert_int_equal(text.data[at + line], '\n');
			longest = line > longest ? line : longest;
			at += line + 1;
		}
		assert_int_equal(longest, rows[i].want_longest);
		assert_true(base64_decode(buf_text(&text), text.len, &back));
		assert_int_equal(back.len, rows[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
