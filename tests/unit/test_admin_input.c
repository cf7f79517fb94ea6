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

/* --- secrets */

static void put(const char *text, size_t repeat)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < repeat; i++)
		fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void check_secret(const struct input_secret *source, const char *want)
{
	auto_value(buf) read = {0};
	auto_value(problem) p = {0};

	assert_int_equal(input_secret(source, &read, &p), want != NULL);
	if (want)
		assert_string_equal(buf_text(&read), want);
	else
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
}

/* From a file and from standard input alike. */
static void a_secret_is_one_line(void **state)
{
	static const struct {
		const char *text;
		size_t repeat, max;
		const char *want;
	} rows[] = {
		{ "word\n", 1, 8, "word" },       { "word", 1, 8, "word" },      { "word\r\n", 1, 8, "word" },
		{ "word\nmore\n", 1, 8, "word" }, { "12345678\n", 1, 8, "12345678" },
		{ "12345678\r\n", 1, 8, "12345678" }, { " a b \n", 1, 8, " a b " },
		{ "123456789\n", 1, 8, NULL },    { "123456789", 1, 8, NULL },   { "\n", 1, 8, NULL },
		{ "\r\n", 1, 8, NULL },           { "", 1, 8, NULL },            { "wo\003rd\n", 1, 8, NULL },
		{ "a", 1023, 1022, NULL },
		{ "a", 1500, 2000, NULL }, /* longer than any line: not cut */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		put(rows[i].text, rows[i].repeat);
		check_secret(&(struct input_secret){ .file = path, .max = rows[i].max }, rows[i].want);
		assert_non_null(freopen(path, "r", stdin));
		check_secret(&(struct input_secret){ .max = rows[i].max }, rows[i].want);
	}
}

static void a_secret_of_the_environment_is_as_long(void **state)
{
	static const struct input_secret source = { .environment = "ENROLLD_TEST_WORD", .max = 8 };
	auto_value(buf) read = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_false(input_secret(&source, &read, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
	setenv(source.environment, "12345678", 1);
	check_secret(&source, "12345678");
	setenv(source.environment, "123456789", 1);
	check_secret(&source, NULL);
	setenv(source.environment, "", 1);
	check_secret(&source, NULL);
	unsetenv(source.environment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_one_line),
		cmocka_unit_test(a_secret_of_the_environment_is_as_long),
		cmocka_unit_test(as_much_as_may_be_is_read_and_no_more),
		cmocka_unit_test(what_cannot_be_read_is_no_empty_file),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
