#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[] = "/tmp/test_base_file.XXXXXX", path[64];

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
		cmocka_unit_test(file_is_written_and_read),
		cmocka_unit_test(large_file_is_read_whole),
		cmocka_unit_test(file_without_size_is_read),
		cmocka_unit_test(read_refusals_name_the_path),
		cmocka_unit_test(new_file_replaces_nothing),
		cmocka_unit_test(failed_write_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
