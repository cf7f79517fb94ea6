#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/contact.h"

#define LOCAL_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	enum problem_kind want;
} rows[] = {
	{ "[]", PROBLEM_NONE },
	{ "[\"mailto:admin@example.org\"]", PROBLEM_NONE },
	{ "[\"mailto:a@example.org\",\"mailto:b@example.org\"]", PROBLEM_NONE },
	{ "[\"MailTo:Admin.Team+x@Example.ORG\"]", PROBLEM_NONE },
	{ "[\"mailto:root@localhost\"]", PROBLEM_NONE },
	{ "[\"mailto: \"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:admin@example.org \"]", PROBLEM_INVALID_CONTACT },
	{ "[\" mailto:admin@example.org\"]", PROBLEM_UNSUPPORTED_CONTACT },
	{ "[\"mailto:\\tadmin@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:" LOCAL_64 "@example.org\"]", PROBLEM_NONE },
	{ "[\"mailto:" LOCAL_64 "a@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@example.org?subject=x\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@example.org,b@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@example.org%2Cb@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a%2cb@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:nobody\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@b@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a b@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@exa mple.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@*.example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:.a@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a.@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:Bob <a@example.org>\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:b\\u00fc@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"mailto:a@example.org\\r\\nX: y\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"admin@example.org\"]", PROBLEM_INVALID_CONTACT },
	{ "[\"tel:+12025551212\"]", PROBLEM_UNSUPPORTED_CONTACT },
	{ "[\"https://example.org/\"]", PROBLEM_UNSUPPORTED_CONTACT },
	{ "[\"mailto:a@example.org\",\"tel:1\"]", PROBLEM_UNSUPPORTED_CONTACT },
	{ "[\"mailto:a@e.org\",\"mailto:b@e.org\",\"mailto:c@e.org\",\"mailto:d@e.org\"]", PROBLEM_INVALID_CONTACT },
	{ "\"mailto:a@example.org\"", PROBLEM_MALFORMED },
	{ "{\"a\":\"mailto:a@example.org\"}", PROBLEM_MALFORMED },
	{ "[1]", PROBLEM_MALFORMED },
	{ "[null]", PROBLEM_MALFORMED },
	{ "[[\"mailto:a@example.org\"]]", PROBLEM_MALFORMED },
};

static void contacts_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(json) *json = NULL;
		auto_value(strings) list = { 0 };
		auto_value(problem) p = { 0 };
		assert_true(json_parse(BYTES_STR(rows[i].text), &json, &p));
		bool ok = contact_read(json, 3, &list, &p);
		if (p.kind != rows[i].want || ok != (rows[i].want == PROBLEM_NONE))
			fail_msg("%s: %s, %s", rows[i].text, problem_kind_name(p.kind), p.detail);
		assert_int_equal(list.n, ok ? json_length(json) : 0);
		for (size_t j = 0; j < list.n; j++)
			assert_string_equal(list.v[j], json_string(json_at(json, j)));
	}
}

static void none_is_fine(void **state)
{
	auto_value(strings) list = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(contact_read(NULL, 3, &list, &p));
	assert_int_equal(list.n, 0);
}

/* getssl writes one. */
static void a_space_after_the_scheme_is_not_kept(void **state)
{
	auto_struct(json) *json = NULL;
	auto_value(strings) list = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(json_parse(BYTES_STR("[\"mailto: a@example.org\",\"MailTo:b@example.org\"]"), &json, &p));
	assert_true(contact_read(json, 3, &list, &p));
	assert_string_equal(list.v[0], "mailto:a@example.org");
	assert_string_equal(list.v[1], "MailTo:b@example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contacts_are_judged),
		cmocka_unit_test(none_is_fine),
		cmocka_unit_test(a_space_after_the_scheme_is_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
