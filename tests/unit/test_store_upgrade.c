/* store/upgrade.c: a store of schema 1, as its program left it, and what becomes of it. */
#include "tests/unit/test_store.h"

#include <unistd.h>

#include "base/digest.h"
#include "store/certificate_inside.h"
#include "store/folder.h"
#include "store/upgrade.h"

enum { ROWS = 1200 };   /* more than one step */

static char *folder;
static struct certificate_name names[] = { { "dns", "a.example.com" }, { "cn", "a.example.com" } };

static struct certificate row_of(unsigned n, uint8_t hash[SHA256_SIZE])
{
	struct certificate row = {
		.issuer = "issuing", .profile = "server", .method = "acme", .issued = 1000 + n, .not_after = 5000 + n,
		.der = BYTES("der", 3), .names = { names, 2 }, .subject = "CN=a.example.com and all that there is to say of it",
	};

	digest_sha256(BYTES(&n, sizeof(n)), hash);
	row.serial = BYTES(hash + 8, 16);
	row.fingerprint = row.key_hash = BYTES(hash, SHA256_SIZE);
	id_of(n, row.id);
	return row;
}

/* As schema 1 had them: a plain record, entries by the whole digest, and by type and name. */
static void put_old(struct kv_txn *kv, unsigned n)
{
	uint8_t hash[SHA256_SIZE];
	struct certificate row = row_of(n, hash);
	auto_value(buf) plain = {0};
	struct key key;

	key_begin(&key, KEY_CERTIFICATE);
	assert_true(key_add_id(&key, row.id));
	must(record_encode(certificate_table.schema, &row, &plain, p));
	kv_put(kv, key_bytes(&key), buf_bytes(&plain));
	for (const char *c = "fnkcp"; *c; c++) {
		key.v[0] = (uint8_t)*c;
		kv_put(kv, key_bytes(&key), BYTES("", 0));
	}
}

static void with_kv(void (*change)(struct kv_txn *kv))
{
	struct kv *kv = NULL;
	struct kv_txn *txn = NULL;

	must(kv_lmdb_open(folder, NULL, &kv, p));
	must(kv_begin(kv, KV_WRITE, &txn, p));
	change(txn);
	must(kv_commit(&txn, p));
	kv_close(kv);
}

static void make_old(struct kv_txn *kv)
{
	for (unsigned n = 0; n < ROWS; n++)
		put_old(kv, n);
	kv_put(kv, BYTES("Mschema", 8), BYTES("\0\0\0\1", 4));
}

static bool one(void *arg, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
	return true;
}

static void want_new(struct kv_txn *kv)
{
	/* what schema_put puts is counted as well */
	static const struct {
		char class;
		size_t want;
	} rows[] = {
		{ 'f', 0 }, { 'n', 0 }, { 'k', 0 }, { 'c', 0 }, { 'p', 0 }, { KEY_CERTIFICATE, ROWS }, { KEY_CERTIFICATE_FINGERPRINT, 1 + ROWS },
		{ KEY_CERTIFICATE_NAME, 2 + ROWS }, { KEY_CERTIFICATE_KEY, 1 + ROWS }, { KEY_CERTIFICATE_PROFILE, ROWS },
		{ KEY_CERTIFICATE_SERIAL, ROWS }, { KEY_REFERENCE, 1 },
	};
	struct bytes value;

	for (size_t i = 0; i < array_length(rows); i++) {
		size_t n = 0;
		kv_scan(kv, BYTES(&rows[i].class, 1), BYTES(&rows[i].class, 1), one, &n);
		assert_int_equal(n, rows[i].want);
	}
	assert_false(kv_get(kv, BYTES("Mupgrade", 9), &value));
	assert_true(kv_get(kv, BYTES("Mschema", 8), &value));
	assert_true(bytes_equal(value, BYTES("\0\0\0\2", 4)));
}

static bool search(struct store_txn *txn, void *arg, struct problem *why)
{
	(void)arg;
	for (unsigned n = 0; n < ROWS; n += 97) {
		uint8_t hash[SHA256_SIZE];
		struct certificate want = row_of(n, hash);
		auto_value(certificate) by_fingerprint = {0};
		auto_value(certificate) by_serial = {0};

		must(store_certificate_by_fingerprint(txn, want.fingerprint, &by_fingerprint, why));
		assert_string_equal(by_fingerprint.id, want.id);
		must(store_certificate_by_serial(txn, want.serial, &by_serial, why));
		assert_string_equal(by_serial.subject, want.subject);
	}
	auto_value(store_page) page = {0};
	must(store_certificate_list(txn, CERTIFICATE_BY_NAME, "dns:a.example.com", "", ROWS + 1, &page, why));
	assert_int_equal(page.ids.n, ROWS);
	return true;
}

static void open_and_search(void)
{
	struct store *store = NULL;

	must(store_open(folder, false, NULL, &store, p));
	must(store_view(store, search, NULL, p));
	store_close(store);
}

static void an_old_store_is_upgraded(void **state)
{
	(void)state;
	with_kv(make_old);
	open_and_search();
	with_kv(want_new);
	open_and_search();
}

/* As when the process was killed after some steps. */
static void cut_short(struct kv_txn *kv)
{
	struct store_txn txn = { .kv = kv };
	bool done = false;

	upgrade_begin(&txn);
	kv_put(kv, BYTES("Mschema", 8), BYTES("\0\0\0\2", 4));
	for (int i = 0; i < 2; i++)
		must(upgrade_step(&txn, &done, p));
	assert_false(done);
}

static void what_was_cut_short_goes_on(void **state)
{
	(void)state;
	with_kv(make_old);
	with_kv(cut_short);
	open_and_search();
	with_kv(want_new);
}

static void not_beside_a_server(void **state)
{
	struct store *store = NULL;
	int fd;

	(void)state;
	with_kv(make_old);
	must(folder_lock(folder, &fd, p));
	must_refuse(PROBLEM_CONFLICT, store_open(folder, true, NULL, &store, p));
	close(fd);
	open_and_search();
}

static void not_for_who_only_reads(void **state)
{
	const struct kv_options options = { .read_only = true };
	struct store *store = NULL;
	struct problem why = {0};

	(void)state;
	with_kv(make_old);
	assert_false(store_open(folder, false, &options, &store, &why));
	assert_int_equal(why.kind, PROBLEM_CONFLICT);
	assert_non_null(strstr(why.detail, "earlier version"));
}

static int setup(void **state)
{
	struct store *store = NULL;

	(void)state;
	folder = folder_make();
	must(store_open(folder, true, NULL, &store, p));
	store_close(store);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(steal(folder));
	return 0;
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_old_store_is_upgraded),
		TEST(what_was_cut_short_goes_on),
		TEST(not_beside_a_server),
		TEST(not_for_who_only_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
