/* Name constraints (RFC 5280, 4.2.1.10): from text, back to it, and what is no such text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/constraint.h"

static struct strings list(const char *text)
{
	struct strings ret = { 0 };

	assert_true(strings_add(&ret, text));
	return ret;
}

static void texts_come_back(void **state)
{
	static const char *const rows[] = {
		"dns:example.com", "dns:com", "email:example.com", "email:.example.com", "email:a@example.com", "ip:10.0.0.0/8",
		"ip:192.0.2.7/32", "ip:0.0.0.0/0", "ip:2001:db8::/32",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		for (int excluded = 0; excluded < 2; excluded++) {
			auto_value(strings) in = list(rows[i]), out = { 0 }, other = { 0 };
			auto(NAME_CONSTRAINTS) *names = NULL;
			auto_value(problem) p = { 0 };
			assert_true(constraint_make(excluded ? NULL : &in, excluded ? &in : NULL, &names, &p));
			assert_true(constraint_texts(names, excluded, &out) && constraint_texts(names, !excluded, &other));
			assert_int_equal(out.n, 1);
			assert_int_equal(other.n, 0);
			assert_string_equal(out.v[0], rows[i]);
		}
}

static void other_texts_are_refused(void **state)
{
	static const char *const rows[] = {
		"", "example.com", "dns:", "dns:.example.com", "dns:Example.com", "dns:a..b", "dns:a.", "dns:*.example.com", "ip:10.0.0.1/8",
		"ip:10.0.0.0/33", "ip:", "ip:x", "email:", "email:@example.com", "email:a@", "uri:example.com",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(strings) in = list(rows[i]);
		auto(NAME_CONSTRAINTS) *names = NULL;
		auto_value(problem) p = { 0 };
		assert_false(constraint_make(&in, NULL, &names, &p));
		assert_null(names);
		assert_non_null(strstr(p.detail, "4.2.1.10"));
	}
}

static void none_is_none(void **state)
{
	auto_value(strings) empty = { 0 };
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(constraint_make(NULL, NULL, &names, &p) && constraint_make(&empty, &empty, &names, &p));
	assert_null(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(none_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
