#include "est/authentication.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char one[] = "one", two[] = "two", rest[] = "rest", factory[] = "factory", none[] = "";

static void test_each_label_has_its_row(void **state)
{
	char *factories[] = { factory, none };
	const struct authentication rows[] = {
		{ .name = one, .labels = { factories, 2 }, .methods = AUTHENTICATION_CODE },
		{ .name = rest, .methods = AUTHENTICATION_CERTIFICATE, .binding = AUTHENTICATION_BINDING_REQUIRED, .exporter = true },
	};
	auto_struct(authentications) *all = NULL, *first = NULL;
	auto_value(addr_list) proxies = {0};
	auto_value(problem) p = {0};
	struct addr proxy;

	(void)state;
	assert_true(addr_list_add(&proxies, "192.0.2.0/24", &p) && addr_parse("192.0.2.9", &proxy));
	assert_true(authentications_new(rows, 2, &proxies, &all, &p) && authentications_new(rows, 1, NULL, &first, &p));
	assert_string_equal(authentications_find(all, "factory")->name, "one");
	assert_string_equal(authentications_find(all, "")->name, "one");
	assert_string_equal(authentications_find(all, "factory/line-1")->name, "rest");
	assert_true(authentications_find(all, "other")->exporter);
	assert_int_equal(authentications_find(all, "other")->binding, AUTHENTICATION_BINDING_REQUIRED);
	assert_true(addr_list_has(authentications_proxies(all), &proxy));
	assert_false(addr_list_has(authentications_proxies(first), &proxy));
	assert_int_equal(authentications_find(first, "other")->methods, AUTHENTICATION_CERTIFICATE | AUTHENTICATION_CODE | AUTHENTICATION_PASSWORD);
}

static void test_rows_that_make_no_sense(void **state)
{
	char *labels[] = { factory };
	const struct strings factories = { labels, 1 }, files = { labels, 1 };
	const struct {
		struct authentication rows[2];
		const char *want;
	} rows[] = {
		{ { { .name = one }, { .name = two, .methods = AUTHENTICATION_CODE } }, "methods" },
		{ { { .name = one, .methods = AUTHENTICATION_MANUFACTURER }, { .name = two, .methods = AUTHENTICATION_CODE } }, "manufacturers" },
		{ { { .name = one, .methods = AUTHENTICATION_CODE, .manufacturers = files }, { .name = two, .methods = AUTHENTICATION_CODE } }, "manufacturers" },
		{ { { .name = one, .methods = AUTHENTICATION_CODE, .listed = true }, { .name = two, .methods = AUTHENTICATION_CODE } }, "listed" },
		{ { { .name = one, .methods = AUTHENTICATION_CODE }, { .name = two, .methods = AUTHENTICATION_CODE } }, "all other" },
		{ { { .name = one, .methods = AUTHENTICATION_CODE, .labels = factories }, { .name = two, .methods = AUTHENTICATION_CODE, .labels = factories } }, "label of another" },
		{ { { .name = one, .methods = AUTHENTICATION_CODE, .labels = factories }, { .name = one, .methods = AUTHENTICATION_CODE } }, "name" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(authentications) *set = NULL;
		auto_value(problem) p = {0};
		assert_false(authentications_new(rows[i].rows, 2, NULL, &set, &p));
		if (p.kind != PROBLEM_MALFORMED || !strstr(p.detail, rows[i].want))
			fail_msg("row %zu: %s", i, p.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_label_has_its_row), cmocka_unit_test(test_rows_that_make_no_sense) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
