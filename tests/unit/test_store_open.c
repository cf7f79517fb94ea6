/* store/store.c and store/folder.c: opening, permissions, the server's lock, schema, backup. */
#include "base/file.h"
#include "tests/unit/test_store.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
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
	static const mode_t umasks[] = { 0, 022, 077, 0177, 0777 };

	(void)state;
	for (size_t i = 0; i < array_length(umasks); i++) {
		if (umasks[i] == 0777 && geteuid() != 0)
			break; /* nobody else could open again what he makes so */
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

static void test_folder_without_a_name(void **state)
{
	struct store *store;

	(void)state;
	must_refuse(PROBLEM_NOT_FOUND, store_open("", true, NULL, &store, p));
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

/* --- the server's lock --- */

/* A process that opens the store, with the lock or without, and says so; it ends when killed. */
static pid_t start_other(bool lock)
{
	int fds[2];
	char byte = '\0';

	assert_int_equal(pipe(fds), 0);
	pid_t pid = child_start();
	if (pid == 0) {
		struct store *store = open_store(folder);
		if (lock)
			must(store_lock_server(store, p));
		if (write(fds[1], "x", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void kill_other(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void test_second_server_is_refused(void **state)
{
	pid_t other = start_other(true);
	struct store *store = open_store(folder);
	struct problem why = {0};
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "process %ld", (long)other);
	assert_false(store_lock_server(store, &why));
	assert_int_equal(why.kind, PROBLEM_CONFLICT);
	assert_non_null(strstr(why.detail, folder));
	assert_non_null(strstr(why.detail, pid));
	add_accounts(store, 0, 1); /* an operator's command works beside the server */

	kill_other(other); /* as a crash: nothing was cleaned up */
	must(store_lock_server(store, p));
	store_close(store);

	other = start_other(false);
	store = open_store(folder);
	must(store_lock_server(store, p));
	store_close(store);
	kill_other(other);
}

/* --- backup --- */

static void test_backup_and_restore(void **state)
{
	auto_free char *live = path_in(folder, "live"), *copy = path_in(folder, "copy");
	auto_value(buf) sealed = {0};
	auto_value(buf) plain = {0};
	struct store *store = open_store(live);

	(void)state;
	add_accounts(store, 0, 20);
	must(seal_close(store_seal(store), "c", BYTES_STR("secret"), &sealed, p));
	must(store_backup(store, copy, p));
	add_accounts(store, 20, 25);
	store_close(store);

	want_mode(copy, ".", 0700);
	want_mode(copy, "data.mdb", 0600);
	want_mode(copy, "seal.key", 0600);
	must(store_open(copy, false, NULL, &store, p));
	assert_int_equal(accounts_in(store), 20);
	assert_true(seal_reveal(store_seal(store), "c", buf_bytes(&sealed), &plain));
	add_accounts(store, 100, 103);
	assert_int_equal(accounts_in(store), 23);
	must(store_lock_server(store, p));
	store_close(store);
}

static void test_backup_of_nothing(void **state)
{
	auto_free char *live = path_in(folder, "live"), *copy = path_in(folder, "copy");
	struct store *store = open_store(live);

	(void)state;
	must(store_backup(store, copy, p));
	store_close(store);
	store = open_store(copy);
	assert_int_equal(accounts_in(store), 0);
	store_close(store);
}

static void test_backup_folder(void **state)
{
	auto_free char *live = path_in(folder, "live"), *full = path_in(folder, "full");
	auto_free char *file = path_in(folder, "full/something"), *empty = path_in(folder, "empty");
	auto_free char *deep = path_in(folder, "not/there");
	struct store *store = open_store(live);

	(void)state;
	assert_int_equal(mkdir(full, 0755) + mkdir(empty, 0755), 0);
	must(file_write(file, BYTES_STR("x"), 0600, p));
	must_refuse(PROBLEM_CONFLICT, store_backup(store, full, p));
	must_refuse(PROBLEM_CONFLICT, store_backup(store, file, p));
	must_refuse(PROBLEM_CONFLICT, store_backup(store, live, p));
	must_refuse(PROBLEM_NOT_FOUND, store_backup(store, deep, p));
	must(store_backup(store, empty, p));
	want_mode(empty, ".", 0700);
	must_refuse(PROBLEM_CONFLICT, store_backup(store, empty, p)); /* it is full now */
	store_close(store);
}

static atomic_bool stop;

/* Two accounts a time, so that a copy with one of them is torn. */
static bool put_two(struct store_txn *txn, void *arg, struct problem *p)
{
	unsigned n = *(const unsigned *)arg, m = n + 1;

	return put_account(txn, &n, p) && put_account(txn, &m, p);
}

static void *write_on(void *arg)
{
	struct problem p = {0};

	for (unsigned n = 0; !atomic_load(&stop); n += 2)
		if (!store_update(arg, put_two, &n, &p))
			return arg;
	return NULL;
}

static void test_backup_during_writes(void **state)
{
	const struct kv_options small = { .map_size = 64 * 1024 };
	auto_free char *live = path_in(folder, "live");
	struct store *store = NULL;
	pthread_t writer;
	void *failed;

	(void)state;
	must(store_open(live, true, &small, &store, p));
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&writer, NULL, write_on, store), 0);
	for (unsigned i = 0; i < 10; i++) {
		auto_free char *copy = mem_printf("%s/copy%u", folder, i);
		usleep(10000);
		must(store_backup(store, copy, p));
	}
	atomic_store(&stop, true);
	pthread_join(writer, &failed);
	assert_null(failed);
	store_close(store);

	size_t last = 0;
	for (unsigned i = 0; i < 10; i++) {
		auto_free char *copy = mem_printf("%s/copy%u", folder, i);

		must(store_open(copy, false, NULL, &store, p));
		size_t n = accounts_in(store);
		assert_int_equal(n % 2, 0);
		assert_true(n >= last);
		last = n;
		store_close(store);
	}
	assert_true(last > 0);
}

/* What was cut short must not look like a backup. */
static void test_backup_to_a_full_disk(void **state)
{
	const struct rlimit small = { 16 * 1024, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	auto_free char *live = path_in(folder, "live"), *copy = path_in(folder, "copy");
	auto_free char *data = path_in(folder, "copy/data.mdb"), *part = path_in(folder, "copy/data.mdb.part");
	struct store *store = open_store(live);

	(void)state;
	add_accounts(store, 0, 200);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	must_refuse(PROBLEM_UNAVAILABLE, store_backup(store, copy, p));
	setrlimit(RLIMIT_FSIZE, &none);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(access(data, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
	add_accounts(store, 200, 201);
	must(store_backup(store, copy, p)); /* nothing is in its way */
	store_close(store);
	store = open_store(copy);
	assert_int_equal(accounts_in(store), 201);
	store_close(store);
}

/* --- misuse --- */

static bool view_inside(struct store_txn *txn, void *arg, struct problem *p)
{
	size_t n;

	(void)txn;
	return store_view(arg, count_accounts, &n, p);
}

/* It could wait for itself for ever, so it ends at once. */
static void test_store_within_store_is_a_bug(void **state)
{
	int status;

	(void)state;
	pid_t pid = child_start();
	if (pid == 0) {
		struct store *store = open_store(folder);
		struct problem p = {0};

		fclose(stderr);
		_exit(store_update(store, view_inside, store, &p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static bool write_nothing(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)txn;
	(void)arg;
	(void)p;
	return true;
}

static void test_read_only(void **state)
{
	const struct kv_options options = { .read_only = true };
	struct store *store = open_store(folder);

	(void)state;
	add_accounts(store, 0, 2);
	store_close(store);
	must(store_open(folder, false, &options, &store, p));
	assert_int_equal(accounts_in(store), 2);
	must_refuse(PROBLEM_CONFLICT, store_update(store, write_nothing, NULL, p));
	store_close(store);
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
		TEST(test_folder_without_a_name),
		TEST(test_lost_seal_key),
		TEST(test_seal_lasts),
		TEST(test_newer_schema_is_refused),
		TEST(test_strange_store_is_refused),
		TEST(test_file_that_is_no_store),
		TEST(test_second_server_is_refused),
		TEST(test_backup_and_restore),
		TEST(test_backup_of_nothing),
		TEST(test_backup_folder),
		TEST(test_backup_during_writes),
		TEST(test_backup_to_a_full_disk),
		TEST(test_store_within_store_is_a_bug),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
