/* init: makes what is missing, leaves what is there, and nothing of it is for others. */
#include "base/file.h"
#include "tests/unit/test_admin.h"

static unsigned mode_of(const char *name)
{
	auto_free char *path = mem_printf("%s/%s", admin_folder, name);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

/* Whether the issuing CA's key is behind the slow hash: scrypt with N 16384, r 8, p 1. */
static bool is_key_slow(void)
{
	auto_free char *path = mem_printf("%s/issuing.key", admin_ca_folder);
	auto_value(buf) pem = {0}, der = {0};
	auto_value(problem) p = {0};
	assert_true(file_read(path, 65536, &pem, &p));
	assert_true(ossl_from_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&pem), &der, &p));
	return memmem(der.data, der.len, "\x02\x02\x40\x00\x02\x01\x08\x02\x01\x01", 10);
}

static void makes_all(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_init_command, "--json");
	bool yes = false;
	assert_true(json_bool(json_member(made, "madePassphrase"), &yes) && yes);
	assert_true(json_bool(json_member(made, "madeCa"), &yes) && yes);
	assert_true(json_bool(json_member(made, "madeStore"), &yes) && yes);
	assert_int_equal(strlen(json_member_string(made, "fingerprint")), 64);
	assert_true(str_ends(json_member_string(made, "root"), "/ca/root.pem"));
	assert_int_equal(mode_of("ca/passphrase"), 0600);
	assert_int_equal(mode_of("ca"), 0700);
	assert_int_equal(mode_of("data.mdb"), 0600);
	assert_int_equal(mode_of("seal.key"), 0600);
	assert_int_equal(mode_of(""), 0700);
	assert_false(is_key_slow());
}

static void passphrases_differ(void **state)
{
	(void)state;
	auto_value(buf) first = {0}, second = {0};
	auto_value(problem) p = {0};
	auto_free char *path = mem_printf("%s/passphrase", admin_ca_folder);
	free(admin_run(&admin_init_command, ""));
	assert_true(file_read(path, 100, &first, &p));
	assert_int_equal(admin_teardown(NULL), 0);
	assert_int_equal(admin_setup(NULL), 0);
	free(path);
	path = mem_printf("%s/passphrase", admin_ca_folder);
	free(admin_run(&admin_init_command, ""));
	assert_true(file_read(path, 100, &second, &p));
	assert_int_equal(first.len, 44);
	assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

static void second_time_is_refused(void **state)
{
	(void)state;
	free(admin_run(&admin_init_command, ""));
	admin_refused(&admin_init_command, "", PROBLEM_CONFLICT, "are there already");
}

static void missing_store_is_made_beside_the_ca(void **state)
{
	(void)state;
	free(admin_run(&admin_init_command, ""));
	static const char *const files[] = { "data.mdb", "lock.mdb", "seal.key" };
	for (size_t i = 0; i < array_length(files); i++) {
		auto_free char *path = mem_printf("%s/%s", admin_folder, files[i]);
		assert_int_equal(unlink(path), 0);
	}
	auto_struct(json) *made = admin_json(&admin_init_command, "--json");
	bool yes = true;
	assert_true(json_bool(json_member(made, "madeCa"), &yes) && !yes);
	assert_true(json_bool(json_member(made, "madeStore"), &yes) && yes);
}

/* The disk failed between the store's file and its first commit. */
static void store_that_was_not_finished_is(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	auto_value(problem) p = {0};
	struct store *store = NULL;
	bool yes = false;

	(void)state;
	free(admin_run(&admin_init_command, ""));
	for (size_t i = 0; i < array_length(files); i++) {
		auto_free char *path = mem_printf("%s/%s", admin_folder, files[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_true(store_open(admin_folder, true, NULL, &store, &p));
	store_close(store);
	auto_struct(json) *made = admin_json(&admin_init_command, "--json");
	assert_true(json_bool(json_member(made, "madeStore"), &yes) && yes);
	auto_struct(json) *listed = admin_json(&admin_cert_list, "--json");
	assert_int_equal(json_length(listed), 2);
	admin_refused(&admin_init_command, "", PROBLEM_CONFLICT, "are there already");
}

/* The disk failed after all else was there. */
static void a_list_that_was_not_made_is(void **state)
{
	auto_free char *list = mem_printf("%s/root.crl", admin_ca_folder);
	bool yes = true;

	(void)state;
	free(admin_run(&admin_init_command, ""));
	assert_int_equal(unlink(list), 0);
	auto_struct(json) *made = admin_json(&admin_init_command, "--json");
	assert_true(json_bool(json_member(made, "madeCa"), &yes) && !yes);
	assert_true(json_bool(json_member(made, "madeStore"), &yes) && !yes);
	assert_true(json_bool(json_member(made, "madeRootList"), &yes) && yes);
	assert_int_equal(access(list, F_OK), 0);
	admin_refused(&admin_init_command, "", PROBLEM_CONFLICT, "are there already");
}

/* What the operator names is the operator's to make. */
static void named_passphrase_is_not_made(void **state)
{
	(void)state;
	admin.passphrase.file = "/nonexistent/passphrase";
	admin_refused(&admin_init_command, "", PROBLEM_NOT_FOUND, "/nonexistent/passphrase");
	admin.passphrase = (struct secret_source){ .environment = "ENROLLD_TEST_PASSPHRASE" };
	setenv("ENROLLD_TEST_PASSPHRASE", "correct horse", 1);
	auto_struct(json) *made = admin_json(&admin_init_command, "--json");
	bool yes = true;
	assert_true(json_bool(json_member(made, "madePassphrase"), &yes) && !yes);
	assert_null(getenv("ENROLLD_TEST_PASSPHRASE"));
	assert_true(is_key_slow());
}

static void store_that_is_not_there_names_init(void **state)
{
	(void)state;
	admin_refused(&admin_cert_list, "", PROBLEM_NOT_FOUND, "run `enrolld init` first");
}

static void backup_opens_as_the_store_did(void **state)
{
	(void)state;
	free(admin_run(&admin_init_command, ""));
	auto_struct(json) *key = admin_json(&admin_eab_create, "--json");
	auto_free char *target = mem_printf("%s/copy", admin_folder);
	free(admin_run(&admin_backup_command, target));
	admin_refused(&admin_backup_command, target, PROBLEM_CONFLICT, "not empty");
	admin.data_folder = target;
	auto_struct(json) *listed = admin_json(&admin_eab_list, "--json");
	assert_int_equal(json_length(listed), 1);
	assert_string_equal(json_member_string(json_at(listed, 0), "kid"), json_member_string(key, "kid"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_all),
		TEST(passphrases_differ),
		TEST(second_time_is_refused),
		TEST(missing_store_is_made_beside_the_ca),
		TEST(store_that_was_not_finished_is),
		TEST(a_list_that_was_not_made_is),
		TEST(named_passphrase_is_not_made),
		TEST(store_that_is_not_there_names_init),
		TEST(backup_opens_as_the_store_did),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
