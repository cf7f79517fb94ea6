#include "tests/unit/test_store_rows.h"

#include "base/digest.h"
#include "store/token.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaA"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbA"

static const uint8_t hash[SHA256_SIZE] = { 1 }, key_hash[SHA256_SIZE] = { 2 };

static void put_key(const char *id, int64_t revoked)
{
	struct token token = { .key_hash = BYTES(key_hash, sizeof(key_hash)), .revoked = revoked };

	strcpy(token.id, id);
	must(store_token_put(txn, &token, p));
}

static void test_all_fields(void **state)
{
	static const char *const profiles[] = { "server", "device" }, *const names[] = { "dns:**.example.com" };
	struct token in = {
		.id = ID_A, .hash = BYTES(hash, sizeof(hash)), .note = "the lab's pipeline",
		.roles = TOKEN_ISSUE | TOKEN_KEY, .profiles = { profiles, 2 }, .names = { names, 1 },
		.created = 1, .expires = 2, .revoked = 3, .used = 4, .name = "robot",
	};
	struct token out;

	(void)state;
	must(store_token_put(txn, &in, p));
	must(store_token_get(txn, ID_A, &out, p));
	want_text(out.id, ID_A);
	want_bytes(out.hash, in.hash);
	assert_int_equal(out.key_hash.len, 0);
	want_text(out.note, in.note);
	want_text(out.name, "robot");
	assert_int_equal(out.roles, in.roles);
	want_texts(out.profiles, in.profiles);
	want_texts(out.names, in.names);
	assert_int_equal(out.created, 1);
	assert_int_equal(out.expires, 2);
	assert_int_equal(out.revoked, 3);
	assert_int_equal(out.used, 4);
	token_free(&out);
	must_refuse(PROBLEM_NOT_FOUND, store_token_get(txn, ID_B, &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_token_get(txn, "no id", &out, p));
}

/* One key is one token at a time. */
static void test_keys(void **state)
{
	const struct bytes key = BYTES(key_hash, sizeof(key_hash));
	struct token out, other = { .id = ID_B, .key_hash = key };

	(void)state;
	must_refuse(PROBLEM_NOT_FOUND, store_token_by_key(txn, key, &out, p));
	put_key(ID_A, 0);
	must(store_token_by_key(txn, key, &out, p));
	want_text(out.id, ID_A);
	token_free(&out);
	must_refuse(PROBLEM_CONFLICT, store_token_put(txn, &other, p));
	put_key(ID_A, 5);
	must_refuse(PROBLEM_NOT_FOUND, store_token_by_key(txn, key, &out, p));
	put_key(ID_B, 0);
	must(store_token_by_key(txn, key, &out, p));
	want_text(out.id, ID_B);
	token_free(&out);
}

/* What no put would take: its index would not fit a key. */
static void test_row_that_is_not_whole(void **state)
{
	static const uint8_t long_hash[KV_KEY_MAX];
	uint8_t row[600] = { 1, KEY_ID_SIZE };
	struct token good = { .id = ID_A, .hash = BYTES(hash, sizeof(hash)) }, out;
	struct buf value = {0};
	struct key key;

	(void)state;
	buf_add(&value, row, 2 + KEY_ID_SIZE);
	buf_add(&value, "\2\40", 2);
	buf_add(&value, hash, SHA256_SIZE);
	buf_add(&value, "\3\xe0\3", 3);
	buf_add(&value, long_hash, sizeof(long_hash));
	key_begin(&key, KEY_TOKEN);
	assert_true(key_add_id(&key, ID_A));
	kv_put(txn->kv, key_bytes(&key), buf_bytes(&value));
	buf_free(&value);
	must_refuse(PROBLEM_INTERNAL, store_token_get(txn, ID_A, &out, p));
	must_refuse(PROBLEM_INTERNAL, store_token_put(txn, &good, p));
}

/* An index entry whose value is no id of ours. */
static void test_damaged_entry(void **state)
{
	static const uint8_t long_id[KV_KEY_MAX];
	const struct bytes wanted = BYTES(key_hash, sizeof(key_hash));
	struct token out;
	struct key key;

	(void)state;
	key_begin(&key, KEY_TOKEN_KEY);
	key_add(&key, wanted);
	kv_put(txn->kv, key_bytes(&key), BYTES(long_id, sizeof(long_id)));
	must_refuse(PROBLEM_INTERNAL, store_token_by_key(txn, wanted, &out, p));
}

/* Keys that no put has made: too short for an id, and longer than a cursor. */
static void test_damaged_keys(void **state)
{
	static const uint8_t lengths[] = { 0, KEY_ID_SIZE - 1, 100 }, zeros[100];

	(void)state;
	for (size_t i = 0; i < array_length(lengths); i++) {
		auto_value(store_page) page = {0};
		struct key key;

		key_begin(&key, KEY_TOKEN);
		key_add(&key, BYTES(zeros, lengths[i]));
		kv_put(txn->kv, key_bytes(&key), BYTES("", 1));
		must_refuse(PROBLEM_INTERNAL, store_token_list(txn, "", 10, &page, p));
		assert_int_equal(page.ids.n, 0);
		kv_delete(txn->kv, key_bytes(&key));
	}
}

static void test_list(void **state)
{
	auto_value(store_page) page = {0};

	(void)state;
	put_key(ID_A, 1);
	put_key(ID_B, 1);
	must(store_token_list(txn, "", 1, &page, p));
	assert_int_equal(page.ids.n, 1);
	want_text(page.ids.v[0], ID_A);
	auto_value(store_page) rest = {0};
	must(store_token_list(txn, page.next, 5, &rest, p));
	assert_int_equal(rest.ids.n, 1);
	want_text(rest.ids.v[0], ID_B);
	want_text(rest.next, "");
}

static void test_roles(void **state)
{
	static const char *const names[] = { "issue", "read", "revoke", "approve", "key", "admin" };
	enum token_role role;
	int all = 0;

	(void)state;
	for (size_t i = 0; i < array_length(names); i++) {
		assert_true(token_role_from(names[i], &role));
		assert_string_equal(token_role_name(role), names[i]);
		assert_int_equal(all & (int)role, 0);
		all |= (int)role;
	}
	assert_false(token_role_from("", &role));
	assert_false(token_role_from("issues", &role));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_keys),
		ROWS_TEST(test_row_that_is_not_whole),
		ROWS_TEST(test_damaged_entry),
		ROWS_TEST(test_damaged_keys),
		ROWS_TEST(test_list),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
