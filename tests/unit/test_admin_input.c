/* What commands read from standard input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/input.h"

static char path[] = "/tmp/enrolld-input-XXXXXX";

/* Standard input is a file of so many bytes. */
static void give(size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		fputc('a' + (int)(i % 26), file);
	assert_int_equal(fclose(file), 0);
	assert_non_null(freopen(path, "r", stdin));
}

static int begin(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) != 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

static void as_much_as_may_be_is_read_and_no_more(void **state)
{
	static const struct {
		size_t len, max;
		bool taken;
	} rows[] = {
		{ 0, 10, true },         { 10, 10, true },        { 11, 10, false },       { 8191, 8192, true },
		{ 8192, 8192, true },    { 8193, 8192, false },   { 20000, 20000, true },  { 20001, 20000, false },
		{ 20000, 19999, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) read = {0};
		auto_value(problem) p = {0};
		give(rows[i].len);
		assert_int_equal(input_read("-", rows[i].max, &read, &p), rows[i].taken);
		if (rows[i].taken)
			assert_int_equal(read.len, rows[i].len);
		else
			assert_int_equal(p.kind, PROBLEM_TOO_LARGE);
	}
}

static void what_cannot_be_read_is_no_empty_file(void **state)
{
	auto_value(buf) read = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_non_null(freopen("/tmp", "r", stdin));
	assert_false(input_read("-", 10, &read, &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_much_as_may_be_is_read_and_no_more),
		cmocka_unit_test(what_cannot_be_read_is_no_empty_file),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
