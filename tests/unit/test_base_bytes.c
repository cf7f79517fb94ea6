#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each block can be looked at when it is freed. */
static bool secret_left;

static void checked_free(void *p)
{
	if (p && memmem(p, malloc_usable_size(p), "SECRET", 6))
		secret_left = true;
	free(p);
}
#define free checked_free
#include "base/bytes.c"
#undef free

static void empty_buffer_has_a_text(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_bytes(&b).len, 0);
	assert_true(buf_check(&b, &p));
	buf_add(&b, NULL, 0);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
}

static void appends_come_in_order(void **state)
{
	auto_value(buf) b = {0};

	(void)state;
	buf_add(&b, "ab", 2);
	buf_add_str(&b, "cd");
	buf_add_char(&b, 'e');
	buf_printf(&b, "%d%s", 12, "f");
	assert_string_equal(buf_text(&b), "abcde12f");
	assert_int_equal(b.len, 8);
	buf_add_strs(&b, "g", "", "hi", NULL);
	buf_add_decimal(&b, 0);
	buf_add_decimal(&b, 907);
	assert_string_equal(buf_text(&b), "abcde12fghi0907");
	buf_shorten(&b, 2);
	assert_string_equal(buf_text(&b), "ab");
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
}

/* Each length around the growth steps, by each way of adding; the NUL always follows. */
static void growth_keeps_the_bytes(void **state)
{
	(void)state;
	for (size_t len = 0; len < 600; len++) {
		auto_value(buf) by_char = {0}, by_block = {0}, by_format = {0};
		char text[600];
		for (size_t i = 0; i < len; i++)
			buf_add_char(&by_char, text[i] = (char)('a' + i % 26));
		text[len] = '\0';
		buf_add(&by_block, text, len);
		buf_printf(&by_format, "%s", text);
		assert_string_equal(buf_text(&by_char), text);
		assert_string_equal(buf_text(&by_block), text);
		assert_string_equal(buf_text(&by_format), text);
		assert_true(bytes_equal(buf_bytes(&by_char), buf_bytes(&by_format)));
	}
}

static void failure_is_sticky_and_bounded(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	buf_add_str(&b, "ab");
	assert_null(buf_extend(&b, BUF_MAX - 1));
	assert_true(b.failed);
	buf_add_str(&b, "cd");
	buf_printf(&b, "ef");
	assert_int_equal(b.len, 2);
	assert_false(buf_check(&b, &p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_null(buf_take(&b, NULL));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_false(b.failed);
	assert_null(buf_extend(&b, SIZE_MAX));
	buf_clear(&b);
	assert_non_null(buf_extend(&b, BUF_MAX));
	buf_add_char(&b, 'x');
	assert_true(b.failed);
}

static void take_hands_over(void **state)
{
	struct buf b = {0};
	size_t len = 7;

	(void)state;
	auto_free char *none = buf_take(&b, &len);
	assert_string_equal(none, "");
	assert_int_equal(len, 0);
	buf_add_str(&b, "ab");
	auto_free char *text = buf_take(&b, &len);
	assert_string_equal(text, "ab");
	assert_int_equal(len, 2);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void secrets_are_wiped(void **state)
{
	struct buf b = {0};

	(void)state;
	secret_left = false;
	buf_add_str(&b, "SECRET");
	while (b.len < 5000)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "SECRET");
	buf_clear(&b);
	buf_add_str(&b, "x");
	buf_free(&b);
	assert_false(secret_left);
}

static void bytes_are_compared(void **state)
{
	(void)state;
	assert_true(bytes_equal(BYTES_STR("ab"), BYTES("ab", 2)));
	assert_true(bytes_equal(BYTES(NULL, 0), BYTES_STR("")));
	assert_false(bytes_equal(BYTES_STR("ab"), BYTES_STR("ac")));
	assert_false(bytes_equal(BYTES_STR("ab"), BYTES_STR("a")));
	assert_int_equal(bytes_compare(BYTES_STR("ab"), BYTES_STR("ab")), 0);
	assert_int_equal(bytes_compare(BYTES(NULL, 0), BYTES_STR("")), 0);
	assert_true(bytes_compare(BYTES_STR("ab"), BYTES_STR("b")) < 0);
	assert_true(bytes_compare(BYTES_STR("ab"), BYTES_STR("a")) > 0);
	assert_true(bytes_compare(BYTES_STR("\xff"), BYTES_STR("a")) > 0);
	assert_true(bytes_start(BYTES_STR("ab"), BYTES_STR("a")) && bytes_start(BYTES_STR("ab"), BYTES(NULL, 0)));
	assert_false(bytes_start(BYTES_STR("ab"), BYTES_STR("b")) || bytes_start(BYTES_STR("a"), BYTES_STR("ab")));
}

static void bytes_are_taken(void **state)
{
	struct bytes rest = BYTES_STR("abc"), first = {0};

	(void)state;
	assert_true(bytes_take(&rest, 2, &first));
	assert_true(bytes_equal(first, BYTES_STR("ab")) && bytes_equal(rest, BYTES_STR("c")));
	assert_false(bytes_take(&rest, 2, &first));
	assert_true(bytes_equal(rest, BYTES_STR("c")));
}

static char folder[] = "/tmp/test_base_bytes.XXXXXX", path[64];

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails when something was left beside */
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 07777;
}

static void file_is_written_and_read(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(file_write(path, BYTES_STR("first"), 0600, &p));
	assert_int_equal(mode_of(path), 0600);
	assert_true(file_write(path, BYTES("a\0b", 3), 0644, &p));
	assert_int_equal(mode_of(path), 0644);
	buf_add_str(&b, "x");
	assert_true(file_read(path, 3, &b, &p));
	assert_true(bytes_equal(buf_bytes(&b), BYTES("xa\0b", 4)));
	assert_true(file_write(path, BYTES(NULL, 0), 0600, &p));
	assert_true(file_read(path, 0, &b, &p));
	assert_int_equal(b.len, 4);
	assert_false(problem_is_set(&p));
}

static void large_file_is_read_whole(void **state)
{
	auto_value(buf) in = {0}, out = {0};
	auto_value(problem) p = {0};

	(void)state;
	for (int i = 0; i < 30000; i++)
		buf_printf(&in, "%d,", i);
	assert_true(file_write(path, buf_bytes(&in), 0600, &p));
	assert_true(file_read(path, in.len, &out, &p));
	assert_true(bytes_equal(buf_bytes(&in), buf_bytes(&out)));
	assert_false(file_read(path, in.len - 1, &out, &p));
	assert_int_equal(out.len, in.len);
}

/* A file without a size, as /proc has them, is read to its end all the same. */
static void file_without_size_is_read(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(file_read("/proc/self/status", 65536, &b, &p));
	assert_non_null(strstr(buf_text(&b), "Threads:"));
}

static void read_refusals_name_the_path(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		enum problem_kind want;
	} rows[] = {
		{ "/nonexistent/file", 10, PROBLEM_NOT_FOUND },
		{ "/dev/null/file", 10, PROBLEM_NOT_FOUND },
		{ "/tmp", 10, PROBLEM_INTERNAL },
		{ "/proc/self/status", 10, PROBLEM_INTERNAL },
	};
	auto_value(buf) b = {0};

	(void)state;
	buf_add_str(&b, "kept");
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		assert_false(file_read(rows[i].path, rows[i].max, &b, &p));
		assert_int_equal(p.kind, rows[i].want);
		assert_non_null(strstr(*p.cause ? p.cause : p.detail, rows[i].path));
		assert_string_equal(buf_text(&b), "kept");
	}
}

static void new_file_replaces_nothing(void **state)
{
	auto_value(buf) b = {0};
	auto_value(problem) p = {0};

	(void)state;
	unlink(path);
	assert_true(file_write_new(path, BYTES_STR("one"), 0600, &p));
	assert_int_equal(mode_of(path), 0600);
	assert_false(file_write_new(path, BYTES_STR("two"), 0600, &p));
	assert_int_equal(p.kind, PROBLEM_CONFLICT);
	assert_true(file_read(path, 10, &b, &p));
	assert_string_equal(buf_text(&b), "one");
}

static void failed_write_leaves_nothing(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	assert_false(file_write("/nonexistent/file", BYTES_STR("x"), 0600, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_false(file_write(folder, BYTES_STR("x"), 0600, &p)); /* a folder cannot be replaced */
	auto_free char *beside = mem_printf("%s.", folder);
	DIR *tmp = opendir("/tmp");
	for (struct dirent *entry; (entry = readdir(tmp));)
		assert_false(str_starts(entry->d_name, strrchr(beside, '/') + 1));
	closedir(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffer_has_a_text),
		cmocka_unit_test(appends_come_in_order),
		cmocka_unit_test(growth_keeps_the_bytes),
		cmocka_unit_test(failure_is_sticky_and_bounded),
		cmocka_unit_test(take_hands_over),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(bytes_are_compared),
		cmocka_unit_test(bytes_are_taken),
		cmocka_unit_test(file_is_written_and_read),
		cmocka_unit_test(large_file_is_read_whole),
		cmocka_unit_test(file_without_size_is_read),
		cmocka_unit_test(read_refusals_name_the_path),
		cmocka_unit_test(new_file_replaces_nothing),
		cmocka_unit_test(failed_write_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
