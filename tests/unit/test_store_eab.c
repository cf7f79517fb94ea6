#include "tests/unit/test_store_rows.h"

#include "store/eab.h"

static void put(const char *kid)
{
	struct eab eab = { .kid = kid };

	must(store_eab_put(txn, &eab, p));
}

static void test_all_fields(void **state)
{
	static const char *const profiles[] = { "server", "device" }, *const names[] = { "dns:*.lab.example", "ip:10.0.0.0/8" };
	static const char *const networks[] = { "192.0.2.0/24" };
	struct eab in = {
		.kid = "kid with spaces/and ü", .sealed_key = BYTES("sealed", 6), .note = "for the lab",
		.scope = { .names = { names, 1 }, .authorized = { names, 2 }, .profiles = { profiles, 2 }, .networks = { networks, 1 },
		           .quota = 5, .quota_period = 6, .quota_total = 7, .spent = 8, .spent_since = 9, .spent_total = 10 },
		.created = 1, .expires = 2, .uses = 3, .uses_max = 4, .revoked = true,
	};
	struct eab out;

	(void)state;
	must(store_eab_put(txn, &in, p));
	must(store_eab_get(txn, in.kid, &out, p));
	want_text(out.kid, in.kid);
	want_bytes(out.sealed_key, in.sealed_key);
	want_text(out.note, in.note);
	want_texts(out.scope.profiles, in.scope.profiles);
	want_texts(out.scope.names, in.scope.names);
	want_texts(out.scope.authorized, in.scope.authorized);
	want_texts(out.scope.networks, in.scope.networks);
	assert_int_equal(out.scope.quota, 5);
	assert_int_equal(out.scope.quota_period, 6);
	assert_int_equal(out.scope.quota_total, 7);
	assert_int_equal(out.scope.spent, 8);
	assert_int_equal(out.scope.spent_since, 9);
	assert_int_equal(out.scope.spent_total, 10);
	assert_int_equal(out.created, 1);
	assert_int_equal(out.expires, 2);
	assert_int_equal(out.uses, 3);
	assert_int_equal(out.uses_max, 4);
	assert_true(out.revoked);
	eab_free(&out);
}

static void test_few_fields(void **state)
{
	struct eab out;

	(void)state;
	put("k");
	must(store_eab_get(txn, "k", &out, p));
	assert_null(out.note);
	assert_int_equal(out.scope.profiles.n + out.scope.names.n + out.sealed_key.len, 0);
	eab_free(&out);
	must_refuse(PROBLEM_NOT_FOUND, store_eab_get(txn, "kk", &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_eab_get(txn, "", &out, p));
}

static void test_kid_lengths(void **state)
{
	char kid[100];
	struct eab eab = { .kid = kid };

	(void)state;
	memset(kid, 'k', sizeof(kid));
	kid[81] = '\0';
	must_refuse(PROBLEM_MALFORMED, store_eab_put(txn, &eab, p));
	kid[80] = '\0';
	must(store_eab_put(txn, &eab, p));
	kid[0] = '\0';
	must_refuse(PROBLEM_MALFORMED, store_eab_put(txn, &eab, p));
	eab.kid = NULL;
	must_refuse(PROBLEM_MALFORMED, store_eab_put(txn, &eab, p));
}

/* A text that has lost its end, or has another one within. */
static void test_damaged_keys(void **state)
{
	static const struct bytes texts[] = { BYTES("kid", 3), BYTES("k\0id", 5), BYTES("", 0) };

	(void)state;
	for (size_t i = 0; i < array_length(texts); i++) {
		auto_value(store_page) page = {0};
		struct key key;

		key_begin(&key, KEY_EAB);
		key_add(&key, texts[i]);
		kv_put(txn->kv, key_bytes(&key), BYTES("", 1));
		must_refuse(PROBLEM_INTERNAL, store_eab_list(txn, "", 10, &page, p));
		kv_delete(txn->kv, key_bytes(&key));
	}
}

static void test_list(void **state)
{
	static const char *const kids[] = { "b", "a", "c", "aa" };
	auto_value(store_page) first = {0};
	auto_value(store_page) second = {0};

	(void)state;
	for (size_t i = 0; i < array_length(kids); i++)
		put(kids[i]);
	must(store_eab_list(txn, "", 2, &first, p));
	assert_int_equal(first.ids.n, 2);
	assert_string_equal(first.ids.v[0], "a");
	assert_string_equal(first.ids.v[1], "aa");
	assert_string_equal(first.next, "aa");
	must(store_eab_list(txn, first.next, 2, &second, p));
	assert_int_equal(second.ids.n, 2);
	assert_string_equal(second.ids.v[0], "b");
	assert_string_equal(second.ids.v[1], "c");
	assert_string_equal(second.next, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_few_fields),
		ROWS_TEST(test_kid_lengths),
		ROWS_TEST(test_damaged_keys),
		ROWS_TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
