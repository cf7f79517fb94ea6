#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/secret.h"
#include "tests/unit/test_ca_folder.h"

static void assert_refused(const struct secret_source *source, enum problem_kind want, const char *want_text)
{
	auto_value(buf) secret = { 0 };
	auto_value(problem) p = { 0 };

	buf_add_str(&secret, "before");
	assert_false(secret_read(source, folder, &secret, &p));
	assert_string_equal(problem_kind_name(p.kind), problem_kind_name(want));
	assert_non_null(strstr(p.detail, want_text));
	assert_string_equal(buf_text(&secret), "before");
}

static void assert_read(const struct secret_source *source, const char *want, size_t want_len)
{
	auto_value(buf) secret = { 0 };
	auto_value(problem) p = { 0 };

	assert_true(secret_read(source, folder, &secret, &p));
	assert_true(bytes_equal(buf_bytes(&secret), BYTES(want, want_len)));
}

static void one_final_newline_is_dropped(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		const char *want;
		size_t want_len;
	} rows[] = {
		{ "secret", 6, "secret", 6 },       { "secret\n", 7, "secret", 6 },   { "secret\n\n", 8, "secret\n", 7 },
		{ " secret \n", 9, " secret ", 8 }, { "a\0b\n", 4, "a\0b", 3 },       { "\xc3\xa4", 2, "\xc3\xa4", 2 },
	};
	const struct secret_source beside = { 0 };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		put_file("passphrase", BYTES(rows[i].content, rows[i].len), 0600);
		assert_read(&beside, rows[i].want, rows[i].want_len);
	}
}

static void a_file_may_lie_elsewhere(void **state)
{
	const struct secret_source source = { .file = in_folder("other") };

	(void)state;
	put_file("passphrase", BYTES_STR("not this"), 0600);
	put_file("other", BYTES_STR("this"), 0400);
	assert_read(&source, "this", 4);
}

static void what_others_can_read_is_refused(void **state)
{
	static const unsigned modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666 };
	const struct secret_source beside = { 0 };

	(void)state;
	for (size_t i = 0; i < array_length(modes); i++) {
		put_file("passphrase", BYTES_STR("secret"), modes[i]);
		assert_refused(&beside, PROBLEM_UNAUTHORIZED, "passphrase");
	}
}

static void empty_missing_large_and_odd_files_are_refused(void **state)
{
	const struct secret_source beside = { 0 };
	uint8_t large[4097];

	(void)state;
	assert_refused(&beside, PROBLEM_NOT_FOUND, "passphrase");
	put_file("passphrase", BYTES_STR(""), 0600);
	assert_refused(&beside, PROBLEM_MALFORMED, "empty");
	put_file("passphrase", BYTES_STR("\n"), 0600);
	assert_refused(&beside, PROBLEM_MALFORMED, "empty");
	memset(large, 'x', sizeof(large));
	put_file("passphrase", BYTES(large, 4096), 0600);
	assert_read(&beside, (char *)large, 4096);
	put_file("passphrase", BYTES(large, 4097), 0600);
	assert_refused(&beside, PROBLEM_MALFORMED, "larger than");
	unlink(in_folder("passphrase"));
	assert_int_equal(mkdir(in_folder("passphrase"), 0700), 0);
	assert_refused(&beside, PROBLEM_MALFORMED, "regular");
	rmdir(in_folder("passphrase"));
	assert_int_equal(mkfifo(in_folder("passphrase"), 0600), 0);
	assert_refused(&beside, PROBLEM_MALFORMED, "regular");
}

/* Neither getenv nor the block that /proc shows has it afterwards. */
static void the_environment_forgets(void **state)
{
	const struct secret_source source = { .environment = "ENROLLD_TEST_PASSPHRASE" };
	char variable[] = "ENROLLD_TEST_PASSPHRASE=from the environment";

	(void)state;
	assert_int_equal(putenv(variable), 0);
	assert_read(&source, "from the environment", 20);
	assert_null(getenv("ENROLLD_TEST_PASSPHRASE"));
	assert_null(strstr(variable, "environment"));
	assert_refused(&source, PROBLEM_NOT_FOUND, "ENROLLD_TEST_PASSPHRASE");
	assert_int_equal(setenv("ENROLLD_TEST_PASSPHRASE", "", 1), 0);
	assert_refused(&source, PROBLEM_MALFORMED, "empty");
}

/* systemd.exec(5): the group's bits are the mask of the ACL that lets the service read it. */
static void a_credential_is_read_from_its_folder(void **state)
{
	const struct secret_source source = { .credential = "ca" };

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_refused(&source, PROBLEM_NOT_FOUND, "CREDENTIALS_DIRECTORY");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_refused(&source, PROBLEM_NOT_FOUND, "/ca");
	put_file("ca", BYTES_STR("sealed\n"), 0440);
	assert_read(&source, "sealed", 6);
	put_file("ca", BYTES_STR("sealed\n"), 0404);
	assert_refused(&source, PROBLEM_UNAUTHORIZED, "/ca");
	assert_refused(&(struct secret_source){ .credential = "../ca" }, PROBLEM_MALFORMED, "../ca");
	assert_refused(&(struct secret_source){ .credential = ".." }, PROBLEM_MALFORMED, "..");
}

static void two_sources_are_one_too_many(void **state)
{
	(void)state;
	put_file("passphrase", BYTES_STR("secret"), 0600);
	assert_refused(&(struct secret_source){ .file = in_folder("passphrase"), .credential = "ca" }, PROBLEM_MALFORMED, "one");
	assert_refused(&(struct secret_source){ .environment = "A", .credential = "ca" }, PROBLEM_MALFORMED, "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_final_newline_is_dropped, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_file_may_lie_elsewhere, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_others_can_read_is_refused, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(empty_missing_large_and_odd_files_are_refused, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(the_environment_forgets, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_credential_is_read_from_its_folder, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(two_sources_are_one_too_many, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
