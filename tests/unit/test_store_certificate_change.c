#include "tests/unit/test_store_rows.h"

#include "base/digest.h"
#include "store/certificate.h"

enum { NOT_AFTER = 5000 };

static uint8_t hashes[16][SHA256_SIZE], serials[16][4];

/* A row that is valid, of our own, and whose key the server has. */
static struct certificate make(unsigned n)
{
	struct certificate row = {
		.issuer = "issuing", .profile = "server", .method = "api", .issued = 1000, .not_after = NOT_AFTER, .key_kept = true,
	};

	hashes[n][0] = serials[n][0] = (uint8_t)(n + 1);
	row.serial = BYTES(serials[n], sizeof(serials[n]));
	row.fingerprint = row.key_hash = BYTES(hashes[n], SHA256_SIZE);
	id_of(n, row.id);
	return row;
}

static void put(const struct certificate *row)
{
	must(store_certificate_put(txn, row, p));
}

static struct certificate get(const char *id)
{
	struct certificate row = {0};

	must(store_certificate_get(txn, id, &row, p));
	return row;
}

static size_t due(int64_t now)
{
	auto_value(strings) ids = {0};

	must(store_certificate_renewals(txn, now, 100, &ids, p));
	return ids.n;
}

static void set_renewal(const char *id, int64_t before)
{
	const struct certificate_settings settings = { .renew_before = &before };

	must(store_certificate_set(txn, id, &settings, NULL, p));
}

static void test_replaced_once(void **state)
{
	struct certificate a = make(1), b = make(2), c = make(3);

	(void)state;
	put(&a);
	set_renewal(a.id, 1000);
	assert_int_equal(due(NOT_AFTER), 1);
	must(store_certificate_replace(txn, a.id, b.id, p));
	must_refuse(PROBLEM_ALREADY_REPLACED, store_certificate_replace(txn, a.id, c.id, p));
	auto_value(certificate) out = get(a.id);
	want_text(out.replaced_by, b.id);
	assert_int_equal(out.status, CERTIFICATE_VALID);
	assert_int_equal(due(NOT_AFTER), 0);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_replace(txn, b.id, c.id, p));
}

static void test_metadata_is_replaced_whole(void **state)
{
	static struct certificate_metadata two[] = { { "owner", "Ada" }, { "env", "lab" } };
	struct record_list list = { two, 2 };
	const struct certificate_settings settings = { .metadata = &list };
	struct certificate a = make(1);
	auto_value(certificate) out = {0};

	(void)state;
	put(&a);
	set_renewal(a.id, 1000);
	must(store_certificate_set(txn, a.id, &settings, &out, p));
	assert_int_equal(out.metadata.n, 2);
	assert_int_equal(out.renew_before, 1000);
	list.n = 0;
	must(store_certificate_set(txn, a.id, &settings, NULL, p));
	auto_value(certificate) after = get(a.id);
	assert_int_equal(after.metadata.n, 0);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_set(txn, "nothing", &settings, NULL, p));
}

static void test_renewals_fall_due(void **state)
{
	struct certificate a = make(1), b = make(2);

	(void)state;
	put(&a);
	put(&b);
	set_renewal(a.id, 1000);
	set_renewal(b.id, 2000);
	assert_int_equal(due(NOT_AFTER - 2001), 0);
	assert_int_equal(due(NOT_AFTER - 2000), 1);
	assert_int_equal(due(NOT_AFTER - 1000), 2);
	auto_value(strings) one = {0};
	must(store_certificate_renewals(txn, NOT_AFTER, 1, &one, p));
	want_text(one.v[0], b.id);
	must(store_certificate_renewal_failed(txn, b.id, NOT_AFTER - 500, "no", p));
	must(store_certificate_renewal_failed(txn, b.id, NOT_AFTER - 400, "no again", p));
	assert_int_equal(due(NOT_AFTER - 401), 1);
	auto_value(certificate) failed = get(b.id);
	assert_int_equal(failed.renew_failures, 2);
	want_text(failed.renew_error, "no again");
	set_renewal(b.id, 2000); /* set anew, it begins anew */
	auto_value(certificate) anew = get(b.id);
	assert_int_equal(anew.renew_failures, 0);
	assert_null(anew.renew_error);
	set_renewal(a.id, 0);
	set_renewal(b.id, 0);
	assert_int_equal(due(NOT_AFTER), 0);
	assert_int_equal(rows_count(KEY_CERTIFICATE_RENEWAL), 0);
}

/* Whose key the server has not, it cannot renew; what is over, it need not. */
static void test_no_renewal(void **state)
{
	struct certificate no_key = make(1), revoked = make(2), replaced = make(3);

	(void)state;
	no_key.key_kept = false;
	put(&no_key);
	set_renewal(no_key.id, 1000);
	put(&replaced);
	must(store_certificate_replace(txn, replaced.id, revoked.id, p));
	set_renewal(replaced.id, 1000);
	put(&revoked);
	set_renewal(revoked.id, 1000);
	auto_value(certificate) row = get(revoked.id);
	row.status = CERTIFICATE_REVOKED;
	put(&row);
	assert_int_equal(due(NOT_AFTER), 0);
	must(store_certificate_renewal_failed(txn, no_key.id, 1, "no", p));
	assert_int_equal(due(NOT_AFTER), 0);
}

/* Another CA's serial number may be any, one of ours as well, and never hides ours. */
static void test_imported_serial(void **state)
{
	struct certificate own = make(1), foreign = make(2), longer = make(3);
	struct certificate out = {0};
	auto_value(store_page) page = {0};

	(void)state;
	foreign.method = longer.method = CERTIFICATE_IMPORT;
	foreign.serial = own.serial;
	longer.serial = BYTES("\2\0\0\0\0", 5);
	put(&foreign);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, own.serial, &out, p));
	put(&own);
	put(&longer);
	must(store_certificate_by_serial(txn, own.serial, &out, p));
	want_text(out.id, own.id);
	certificate_free(&out);
	must(store_certificate_list(txn, CERTIFICATE_IMPORTED, "02000000", "", 10, &page, p));
	assert_int_equal(page.ids.n, 1);
	want_text(page.ids.v[0], foreign.id);
	must_refuse(PROBLEM_MALFORMED, store_certificate_list(txn, CERTIFICATE_IMPORTED, "0", "", 10, &page, p));
}

static void test_delete_imported_alone(void **state)
{
	struct certificate own = make(1), foreign = make(2);

	(void)state;
	foreign.method = CERTIFICATE_IMPORT;
	put(&own);
	size_t before = rows_count_all();
	put(&foreign);
	must_refuse(PROBLEM_CONFLICT, store_certificate_delete(txn, own.id, p));
	must(store_certificate_delete(txn, foreign.id, p));
	assert_int_equal(rows_count_all(), before);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_delete(txn, foreign.id, p));
}

static void test_copy(void **state)
{
	static struct certificate_name names[] = { { "dns", "a.example" } };
	struct certificate in = make(1), out = {0};

	(void)state;
	in.names = (struct record_list){ names, 1 };
	must(certificate_copy(&in, &out, p));
	want_text(out.id, in.id);
	want_text(((const struct certificate_name *)out.names.v)->value, "a.example");
	assert_ptr_not_equal(out.names.v, names);
	certificate_free(&out);
}

/* What waits has not failed; what is to be renewed now is due now; a key that is forgotten ends it. */
static void test_renewals_by_hand(void **state)
{
	struct certificate a = make(1), b = make(2), c = make(3), out;

	(void)state;
	c.key_kept = false;
	put(&a);
	put(&b);
	put(&c);
	set_renewal(a.id, 1000);
	must(store_certificate_renewal_waits(txn, a.id, NOT_AFTER - 200, "waits", p));
	out = get(a.id);
	assert_true(out.renew_failures == 0 && out.renew_at == NOT_AFTER - 200);
	want_text(out.renew_error, "waits");
	certificate_free(&out);
	must(store_certificate_renew_at(txn, a.id, 7, p));
	assert_int_equal(due(7), 1);
	must_refuse(PROBLEM_CONFLICT, store_certificate_renew_at(txn, c.id, 7, p));
	must(store_certificate_replace(txn, b.id, a.id, p));
	must_refuse(PROBLEM_CONFLICT, store_certificate_renew_at(txn, b.id, 7, p));
	must(store_certificate_key_forgotten(txn, a.id, p));
	assert_int_equal(due(NOT_AFTER), 0);
	out = get(a.id);
	assert_true(!out.key_kept && out.renew_before == 0);
	certificate_free(&out);
	must_refuse(PROBLEM_CONFLICT, store_certificate_renew_at(txn, a.id, 7, p));
}

static void test_renewals_in_order(void **state)
{
	auto_value(store_page) page = {0};
	struct certificate a = make(1), b = make(2);

	(void)state;
	put(&a);
	put(&b);
	set_renewal(a.id, 1000);
	set_renewal(b.id, 2000);
	must(store_certificate_list(txn, CERTIFICATE_RENEWALS, NULL, "", 10, &page, p));
	assert_int_equal(page.ids.n, 2);
	want_text(page.ids.v[0], b.id);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_replaced_once),
		ROWS_TEST(test_metadata_is_replaced_whole),
		ROWS_TEST(test_renewals_fall_due),
		ROWS_TEST(test_no_renewal),
		ROWS_TEST(test_imported_serial),
		ROWS_TEST(test_delete_imported_alone),
		ROWS_TEST(test_copy),
		ROWS_TEST(test_renewals_by_hand),
		ROWS_TEST(test_renewals_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
