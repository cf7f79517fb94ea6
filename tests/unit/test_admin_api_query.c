/* What stands behind the `?` of a request, and where a list goes on. */
#include "admin/api_query.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONGEST HUNDRED TEN TEN "0123456" /* 127: STORE_CURSOR_SIZE with its end */

static const char *const colours[] = { "red", "blue", NULL };
static const struct api_parameter parameters[] = {
	{ "count", "x", NULL, API_INTEGER, .min = 1, .max = 9 },
	{ "since", "x", NULL, API_TIME },
	{ "colour", "x", colours, API_TEXT },
	{ "name", "x", NULL, API_TEXT, .required = true },
	{ 0 },
};

/* field NULL: the query is good. */
static const struct {
	const char *query, *field;
} rows[] = {
	{ "name=a", NULL },
	{ "name=a&count=1&since=2027-01-31T00:00:00Z&colour=red", NULL },
	{ "count=9&name=a", NULL },
	{ "", "name" },
	{ "name", "name" },
	{ "name=", "name" },
	{ "name=a&name=a", "name" },
	{ "name=a&count=0", "count" },
	{ "name=a&count=10", "count" },
	{ "name=a&count=+1", "count" },
	{ "name=a&count=-1", "count" },
	{ "name=a&count=99999999999999999999", "count" },
	{ "name=a&since=2027-01-31", "since" },
	{ "name=a&colour=Red", "colour" },
	{ "name=a&other=1", "other" },
	{ "name=a&Name=a", "Name" },
	{ "name=%00", "name" },
	{ "name=a%0ab", "name" },
	{ "name=%ff", "name" },
	{ "name=" HUNDRED HUNDRED TEN TEN TEN TEN TEN "01234", NULL }, /* 255 */
	{ "name=" HUNDRED HUNDRED TEN TEN TEN TEN TEN "012345", "name" },
};

static void each_parameter_is_as_its_row_says(void **state)
{
	static const struct api_route route = { .query = parameters };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct http_request request = { .query = rows[i].query };
		auto_value(problem) parts = {0};
		api_query_check(&route, &request, &parts);
		if (parts.sub_count != (rows[i].field ? 1 : 0))
			fail_msg("%s: %zu parts", rows[i].query, parts.sub_count);
		if (rows[i].field)
			assert_string_equal(parts.subs[0].field, rows[i].field);
	}
}

static void a_cursor_has_so_many_bytes(void **state)
{
	static const struct {
		const char *query, *want;
	} cursors[] = {
		{ "", "" }, { "after=x", "x" }, { "after=a%2fb", "a/b" }, { "after=" LONGEST, LONGEST }, { "after=" LONGEST "7", NULL },
		{ "after=" LONGEST LONGEST, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(cursors); i++) {
		const struct http_request request = { .query = cursors[i].query };
		const struct api_call call = { .request = &request };
		auto_value(problem) parts = {0};
		char after[STORE_CURSOR_SIZE];
		api_query_after(&call, after, &parts);
		assert_int_equal(parts.sub_count, cursors[i].want ? 0 : 1);
		assert_string_equal(after, cursors[i].want ?: "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_parameter_is_as_its_row_says),
		cmocka_unit_test(a_cursor_has_so_many_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
