#include "tests/unit/test_store_rows.h"

#include "store/account.h"

static const uint8_t thumbs[4][SHA256_SIZE] = { {1}, {2}, {3}, {4} };
#define THUMB(n) BYTES(thumbs[n], SHA256_SIZE)

static struct account make(unsigned id, const char *directory, struct bytes thumbprint)
{
	struct account account = { .directory = directory, .thumbprint = thumbprint };

	id_of(id, account.id);
	return account;
}

static void put(const struct account *account)
{
	must(store_account_put(txn, account, p));
}

static void test_all_fields(void **state)
{
	static const char *const contacts[] = { "mailto:a@example.com", "mailto:b@example.com" };
	struct account in = make(1, "default", THUMB(0));
	struct account out;

	(void)state;
	in.status = ACCOUNT_DEACTIVATED;
	in.key = BYTES("spki", 4);
	in.jwk = "{\"crv\":\"P-256\"}";
	in.contacts = (struct record_texts){ contacts, 2 };
	in.terms_agreed = true;
	in.terms_agreed_at = 1763724960;
	in.terms = "https://ca.example/terms";
	in.created = 1763724961;
	in.created_from = "2001:db8::1";
	in.eab_kid = "kid-1";
	in.eab_json = "{\"protected\":\"x\"}";
	in.ending = true;
	in.ended_after = "cursor";
	put(&in);
	must(store_account_get(txn, in.id, &out, p));
	assert_string_equal(out.id, in.id);
	want_text(out.directory, in.directory);
	assert_int_equal(out.status, in.status);
	want_bytes(out.key, in.key);
	want_bytes(out.thumbprint, in.thumbprint);
	want_text(out.jwk, in.jwk);
	want_texts(out.contacts, in.contacts);
	assert_true(out.terms_agreed);
	assert_int_equal(out.terms_agreed_at, in.terms_agreed_at);
	want_text(out.terms, in.terms);
	assert_int_equal(out.created, in.created);
	want_text(out.created_from, in.created_from);
	want_text(out.eab_kid, in.eab_kid);
	want_text(out.eab_json, in.eab_json);
	assert_true(out.ending);
	want_text(out.ended_after, "cursor");
	account_free(&out);
}

static void test_few_fields(void **state)
{
	struct account in = make(1, NULL, THUMB(0));
	struct account out;

	(void)state;
	put(&in);
	must(store_account_get(txn, in.id, &out, p));
	assert_string_equal(out.id, in.id);
	assert_null(out.directory);
	assert_null(out.eab_kid);
	assert_false(out.terms_agreed);
	assert_int_equal(out.contacts.n, 0);
	account_free(&out);
}

static void test_not_found(void **state)
{
	struct account in = make(1, "default", THUMB(0));
	struct account out = {0};

	(void)state;
	must_refuse(PROBLEM_NOT_FOUND, store_account_get(txn, in.id, &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_account_get(txn, "", &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_account_get(txn, "../../etc/passwd", &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_account_by_key(txn, "default", THUMB(0), &out, p));
}

/* The last of 22 characters carries two bits: others that end alike are no other name for it. */
static void test_one_text_for_an_id(void **state)
{
	struct account in = make(1, "default", THUMB(0));
	struct account out = {0};

	(void)state;
	put(&in);
	in.id[21] = 'B';
	must_refuse(PROBLEM_NOT_FOUND, store_account_get(txn, in.id, &out, p));
}

static void test_by_key(void **state)
{
	struct account a = make(1, "default", THUMB(0));
	struct account b = make(2, "other", THUMB(0));
	struct account out;

	(void)state;
	put(&a);
	put(&b); /* the same key, another directory */
	must(store_account_by_key(txn, "default", THUMB(0), &out, p));
	assert_string_equal(out.id, a.id);
	account_free(&out);
	must(store_account_by_key(txn, "other", THUMB(0), &out, p));
	assert_string_equal(out.id, b.id);
	account_free(&out);
	must_refuse(PROBLEM_NOT_FOUND, store_account_by_key(txn, "third", THUMB(0), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_account_by_key(txn, "default", THUMB(1), &out, p));
}

static void test_key_of_another(void **state)
{
	struct account a = make(1, "default", THUMB(0));
	struct account b = make(2, "default", THUMB(0));

	(void)state;
	put(&a);
	must_refuse(PROBLEM_CONFLICT, store_account_put(txn, &b, p));
	put(&a); /* its own key is no conflict */
}

/* RFC 8555, 7.3.5: after a rollover the old key is free. */
static void test_key_change(void **state)
{
	struct account a = make(1, "default", THUMB(0));
	struct account b = make(2, "default", THUMB(1));
	struct account out;

	(void)state;
	put(&a);
	put(&b);
	a.thumbprint = THUMB(1);
	must_refuse(PROBLEM_CONFLICT, store_account_put(txn, &a, p));
	rows_end(NULL);
	rows_begin(NULL);
	a.thumbprint = THUMB(0);
	put(&a);
	a.thumbprint = THUMB(2);
	put(&a);
	must_refuse(PROBLEM_NOT_FOUND, store_account_by_key(txn, "default", THUMB(0), &out, p));
	must(store_account_by_key(txn, "default", THUMB(2), &out, p));
	assert_string_equal(out.id, a.id);
	account_free(&out);
	assert_int_equal(rows_count(KEY_ACCOUNT_KEY), 1);
	b.thumbprint = THUMB(0);
	put(&b);
}

static void test_list(void **state)
{
	auto_value(store_page) first = {0};
	auto_value(store_page) second = {0};
	auto_value(store_page) third = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct account account = make(4 - i, "default", THUMB(i));
		put(&account);
	}
	must(store_account_list(txn, "", 3, &first, p));
	WANT_IDS(first.ids, 1, 2, 3);
	must(store_account_list(txn, first.next, 3, &second, p));
	WANT_IDS(second.ids, 4);
	assert_string_equal(second.next, "");
	must(store_account_list(txn, first.ids.v[0], 3, &third, p)); /* an id is a cursor */
	WANT_IDS(third.ids, 2, 3, 4);
	assert_string_equal(third.next, "");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(account_status_name(ACCOUNT_VALID), "valid");
	assert_string_equal(account_status_name(ACCOUNT_DEACTIVATED), "deactivated");
	assert_string_equal(account_status_name(ACCOUNT_REVOKED), "revoked");
}

static void test_those_that_are_ending(void **state)
{
	auto_value(strings) ids = {0};
	auto_value(strings) none = {0};

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		struct account account = make(i, "default", THUMB(i));
		account.ending = i > 1;
		put(&account);
	}
	must(store_account_ending(txn, 10, &ids, p));
	WANT_IDS(ids, 2, 3);
	for (unsigned i = 2; i <= 3; i++) {
		struct account account = make(i, "default", THUMB(i));
		put(&account);
	}
	must(store_account_ending(txn, 10, &none, p));
	WANT_IDS(none);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_few_fields),
		ROWS_TEST(test_not_found),
		ROWS_TEST(test_one_text_for_an_id),
		ROWS_TEST(test_by_key),
		ROWS_TEST(test_key_of_another),
		ROWS_TEST(test_key_change),
		ROWS_TEST(test_list),
		ROWS_TEST(test_those_that_are_ending),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
