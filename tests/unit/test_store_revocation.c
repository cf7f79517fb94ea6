#include "tests/unit/test_store_rows.h"

#include "store/revocation.h"

static void test_all_fields(void **state)
{
	const struct revocation in = {
		.issuer = "issuing", .changes = 1, .crl_number = 1795262400, .crl_time = 1795262399, .crl_changes = 5, .crl_scheduled = 1795219200,
	};
	auto_value(revocation) out = {0};

	(void)state;
	must(store_revocation_put(txn, &in, p));
	must(store_revocation_get(txn, "issuing", &out, p));
	assert_string_equal(out.issuer, "issuing");
	assert_int_equal(out.changes, in.changes);
	assert_int_equal(out.crl_number, in.crl_number);
	assert_int_equal(out.crl_time, in.crl_time);
	assert_int_equal(out.crl_changes, 5);
	assert_int_equal(out.crl_scheduled, in.crl_scheduled);
}

static void test_an_issuer_without_one(void **state)
{
	auto_value(revocation) out = {0};

	(void)state;
	must(store_revocation_get(txn, "issuing", &out, p));
	assert_string_equal(out.issuer, "issuing");
	assert_int_equal(out.changes + out.crl_number + out.crl_time + out.crl_scheduled, 0);
	assert_int_equal(rows_count(KEY_REVOCATION), 0);
}

/* Changes of one issuer are counted apart from those of another, and leave the list's part alone. */
static void test_changes_are_counted(void **state)
{
	const struct revocation listed = { .issuer = "issuing", .changes = 7, .crl_number = 9 };
	auto_value(revocation) one = {0};
	auto_value(revocation) other = {0};

	(void)state;
	must(store_revocation_put(txn, &listed, p));
	must(store_revocation_change(txn, "issuing", p));
	must(store_revocation_change(txn, "issuing", p));
	must(store_revocation_change(txn, "issuing-2", p));
	must(store_revocation_get(txn, "issuing", &one, p));
	must(store_revocation_get(txn, "issuing-2", &other, p));
	assert_int_equal(one.changes, 9);
	assert_int_equal(one.crl_number, 9);
	assert_int_equal(other.changes, 1);
	assert_int_equal(other.crl_number, 0);
}

static void test_a_failed_transaction(void **state)
{
	struct problem cause = {0};
	struct revocation out;

	(void)state;
	problem_unavailable(&cause, 1, "the disk is full");
	kv_fail(txn->kv, &cause);
	must_refuse(PROBLEM_UNAVAILABLE, store_revocation_get(txn, "issuing", &out, p));
	must_refuse(PROBLEM_UNAVAILABLE, store_revocation_change(txn, "issuing", p));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_an_issuer_without_one),
		ROWS_TEST(test_changes_are_counted),
		ROWS_TEST(test_a_failed_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
