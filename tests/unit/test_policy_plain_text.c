#include "policy/plain_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct row {
	const char *text;
	bool want_hides;
	const char *want_reduced;
} rows[] = {
	{ "", false, "" },
	{ "Acme Ltd", false, "Acme Ltd" },
	{ "\xc3\xa9t\xc3\xa9", false, "\xc3\xa9t\xc3\xa9" },
	{ "e\xcc\x81", false, "e\xcc\x81" },                                     /* a combining accent is seen */
	{ "a\xc2\xa0" "b", false, "a b" },                                        /* U+00A0 */
	{ "a\xe3\x80\x80" "b", false, "a b" },                                    /* U+3000 */
	{ "a\xe2\x80\x83" "b", false, "a b" },                                    /* U+2003 */
	{ "a\xe2\x80\x8c" "b", false, "ab" },                                     /* U+200C */
	{ "a\xe2\x80\x8d" "b", false, "ab" },                                     /* U+200D */
	{ "\xf0\x9f\x98\x80", false, "\xf0\x9f\x98\x80" },
	{ " a", true, " a" },
	{ "a ", true, "a " },
	{ " ", true, " " },
	{ "\xc2\xa0" "a", true, " a" },
	{ "a\xe3\x80\x80", true, "a " },
	{ "a\xc2\x85" "b", true, "a\xc2\x85" "b" },                               /* U+0085 */
	{ "a\xc2\xad" "b", true, "a\xc2\xad" "b" },                               /* U+00AD */
	{ "a\xcd\x8f" "b", true, "a\xcd\x8f" "b" },                               /* U+034F */
	{ "a\xe2\x80\x8b" "b", true, "a\xe2\x80\x8b" "b" },                       /* U+200B */
	{ "a\xe2\x80\xae" "b", true, "a\xe2\x80\xae" "b" },                       /* U+202E */
	{ "\xe3\x85\xa4", true, "\xe3\x85\xa4" },                                /* U+3164 */
	{ "a\xef\xb8\x8f", true, "a\xef\xb8\x8f" },                              /* U+FE0F */
	{ "a\xef\xbb\xbf", true, "a\xef\xbb\xbf" },                              /* U+FEFF */
	{ "a\xf3\xa0\x81\x81", true, "a\xf3\xa0\x81\x81" },                      /* U+E0041 */
};

static void test_rows(void **state)
{
	char reduced[64];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		if (plain_text_hides(rows[i].text) != rows[i].want_hides)
			fail_msg("\"%s\": hides is not %d", rows[i].text, rows[i].want_hides);
		plain_text_reduce(rows[i].text, reduced, sizeof(reduced));
		assert_string_equal(reduced, rows[i].want_reduced);
	}
}

/* Nothing is written beyond the end, and no character in part. */
static void test_room(void **state)
{
	char small[4];

	(void)state;
	plain_text_reduce("ab\xc3\xa9", small, sizeof(small));
	assert_string_equal(small, "ab");
	plain_text_squeeze("  a   bcd", small, sizeof(small));
	assert_string_equal(small, "a b");
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool want_equal;
	} pairs[] = {
		{ "", "", true }, { "", " ", true }, { "a", "", false }, { "", "a", false }, { "a", "A", true }, { "a b", "A   B", true },
		{ " a b ", "a b", true }, { "a b", "ab", false }, { "ab", "a b", false }, { "a", "a b", false }, { "\xc3\xa9", "\xc3\x89", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(pairs); i++)
		if (plain_text_equal(pairs[i].a, pairs[i].b) != pairs[i].want_equal)
			fail_msg("\"%s\" and \"%s\"", pairs[i].a, pairs[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
