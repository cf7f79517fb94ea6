/* store/store.c and store/folder.c: opening, permissions, the server's lock, schema, backup. */
#include "tests/unit/test_store.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "store/account.h"

static char *folder;

static int folder_setup(void **state)
{
	(void)state;
	folder = folder_make();
	return 0;
}

static int folder_teardown(void **state)
{
	(void)state;
	folder_remove(steal(folder));
	return 0;
}

static char *path_in(const char *dir, const char *name)
{
	char *path = mem_printf("%s/%s", dir, name);

	assert_non_null(path);
	return path;
}

static struct store *open_store(const char *dir)
{
	struct store *store = NULL;

	must(store_open(dir, true, NULL, &store, p));
	return store;
}

static void want_mode(const char *dir, const char *name, unsigned want_mode)
{
	auto_free char *path = path_in(dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, want_mode);
}

/* --- accounts to fill it with --- */

static bool put_account(struct store_txn *txn, void *arg, struct problem *p)
{
	const unsigned *n = arg;
	uint8_t thumbprint[SHA256_SIZE] = {0};
	struct account account = { .directory = "default", .thumbprint = BYTES(thumbprint, sizeof(thumbprint)) };

	memcpy(thumbprint, n, sizeof(*n));
	id_of(*n, account.id);
	return store_account_put(txn, &account, p);
}

static bool count_accounts(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!store_account_list(txn, "", 100000, &page, p))
		return false;
	*(size_t *)arg = page.ids.n;
	return true;
}

static void add_accounts(struct store *store, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++)
		must(store_update(store, put_account, &n, p));
}

static size_t accounts_in(struct store *store)
{
	size_t n = 0;

	must(store_view(store, count_accounts, &n, p));
	return n;
}

/* --- opening --- */

static void test_nothing_there(void **state)
{
	auto_free char *missing = path_in(folder, "missing");
	struct store *store = NULL;

	(void)state;
	must_refuse(PROBLEM_NOT_FOUND, store_open(folder, false, NULL, &store, p));
	must_refuse(PROBLEM_NOT_FOUND, store_open(missing, false, NULL, &store, p));
	assert_int_equal(access(missing, F_OK), -1);
	assert_null(store);
}

static void test_open_again(void **state)
{
	struct store *store = open_store(folder);

	(void)state;
	add_accounts(store, 0, 3);
	store_close(store);
	must(store_open(folder, false, NULL, &store, p));
	assert_int_equal(accounts_in(store), 3);
	store_close(store);
}

static void test_permissions_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = { 0, 022, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < array_length(umasks); i++) {
		auto_free char *dir = mem_printf("%s/%zu", folder, i);
		mode_t before = umask(umasks[i]);
		struct store *store = open_store(dir);

		must(store_lock_server(store, p));
		umask(before);
		want_mode(dir, ".", 0700);
		want_mode(dir, "data.mdb", 0600);
		want_mode(dir, "lock.mdb", 0600);
		want_mode(dir, "seal.key", 0600);
		want_mode(dir, "lock", 0600);
		store_close(store);
	}
}

static void test_open_folder_is_narrowed(void **state)
{
	(void)state;
	assert_int_equal(chmod(folder, 0755), 0);
	store_close(open_store(folder));
	want_mode(folder, ".", 0700);
}

static void test_folders_above_are_made(void **state)
{
	auto_free char *deep = path_in(folder, "a/b/c");

	(void)state;
	store_close(open_store(deep));
	want_mode(deep, ".", 0700);
}

/* What is sealed in the store would be lost in silence with a new key. */
static void test_lost_seal_key(void **state)
{
	auto_free char *path = path_in(folder, "seal.key");
	struct store *store = NULL;

	(void)state;
	store_close(open_store(folder));
	assert_int_equal(unlink(path), 0);
	must_refuse(PROBLEM_CONFLICT, store_open(folder, true, NULL, &store, p));
	assert_int_equal(access(path, F_OK), -1);
}

static void test_seal_lasts(void **state)
{
	auto_value(buf) sealed = {0};
	auto_value(buf) plain = {0};
	struct store *store = open_store(folder);

	(void)state;
	must(seal_close(store_seal(store), "context", BYTES_STR("secret"), &sealed, p));
	store_close(store);
	store = open_store(folder);
	assert_true(seal_reveal(store_seal(store), "context", buf_bytes(&sealed), &plain));
	assert_string_equal(buf_text(&plain), "secret");
	store_close(store);
}

static void write_schema(const char *key, const char *value, size_t len)
{
	struct kv *kv = NULL;
	struct kv_txn *txn = NULL;

	must(kv_lmdb_open(folder, NULL, &kv, p));
	must(kv_begin(kv, KV_WRITE, &txn, p));
	kv_put(txn, BYTES(key, strlen(key) + 1), BYTES(value, len));
	must(kv_commit(&txn, p));
	kv_close(kv);
}

static void test_newer_schema_is_refused(void **state)
{
	struct store *store = NULL;
	struct problem why = {0};

	(void)state;
	store_close(open_store(folder));
	write_schema("Mschema", "\0\0\0\7", 4);
	assert_false(store_open(folder, true, NULL, &store, &why));
	assert_int_equal(why.kind, PROBLEM_CONFLICT);
	assert_non_null(strstr(why.detail, folder));
	assert_non_null(strstr(why.detail, "schema version 7"));
}

static void test_strange_store_is_refused(void **state)
{
	auto_free char *seal = path_in(folder, "seal.key");
	struct store *store = NULL;

	(void)state;
	must(file_write(seal, BYTES("0123456789abcdef0123456789abcdef", 32), 0600, p));
	write_schema("other", "x", 1);
	must_refuse(PROBLEM_CONFLICT, store_open(folder, true, NULL, &store, p));
}

static void test_file_that_is_no_store(void **state)
{
	auto_free char *data = path_in(folder, "data.mdb");
	auto_free char *seal = path_in(folder, "seal.key");
	struct store *store = NULL;
	struct problem why = {0};

	(void)state;
	must(file_write(seal, BYTES("0123456789abcdef0123456789abcdef", 32), 0600, p));
	must(file_write(data, BYTES_STR("this is not LMDB's"), 0600, p));
	assert_false(store_open(folder, true, NULL, &store, &why));
	assert_non_null(strstr(why.cause, "data.mdb"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
		TEST(test_nothing_there),
		TEST(test_open_again),
		TEST(test_permissions_whatever_the_umask),
		TEST(test_open_folder_is_narrowed),
		TEST(test_folders_above_are_made),
		TEST(test_lost_seal_key),
		TEST(test_seal_lasts),
		TEST(test_newer_schema_is_refused),
		TEST(test_strange_store_is_refused),
		TEST(test_file_that_is_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
