#include "tests/unit/test_store_rows.h"

#include "store/authorization.h"

static struct authorization make(unsigned id, unsigned account)
{
	struct authorization authorization = { .type = "dns", .value = "example.com" };

	id_of(id, authorization.id);
	id_of(account, authorization.account);
	return authorization;
}

static void put(const struct authorization *authorization)
{
	must(store_authorization_put(txn, authorization, p));
}

static void test_all_fields(void **state)
{
	static struct challenge challenges[] = {
		{ "http-01", "token", CHALLENGE_INVALID, 5, 6, "{\"type\":\"x\"}", "k1" },
		{ "dns-01", NULL, CHALLENGE_PENDING, 0, 0, NULL, "k2" },
	};
	struct authorization in = make(1, 100);
	struct authorization out;

	(void)state;
	in.directory = "default";
	in.status = AUTHORIZATION_REVOKED;
	in.wildcard = true;
	in.preauthorized = true;
	in.created = 10;
	in.expires = 20;
	in.ends = 30;
	in.challenges = (struct record_list){ challenges, 2 };
	put(&in);
	must(store_authorization_get(txn, in.id, &out, p));
	assert_string_equal(out.id, in.id);
	assert_string_equal(out.account, in.account);
	want_text(out.directory, "default");
	assert_int_equal(out.status, AUTHORIZATION_REVOKED);
	want_text(out.type, "dns");
	want_text(out.value, "example.com");
	assert_true(out.wildcard && out.preauthorized);
	assert_int_equal(out.created, 10);
	assert_int_equal(out.expires, 20);
	assert_int_equal(out.ends, 30);
	assert_int_equal(out.challenges.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct challenge *got = (const struct challenge *)out.challenges.v + i;

		want_text(got->type, challenges[i].type);
		want_text(got->token, challenges[i].token);
		assert_int_equal(got->status, challenges[i].status);
		assert_int_equal(got->validated, challenges[i].validated);
		assert_int_equal(got->attempts, challenges[i].attempts);
		want_text(got->error, challenges[i].error);
		want_text(got->url_key, challenges[i].url_key);
	}
	authorization_free(&out);
}

static void test_few_fields(void **state)
{
	struct authorization in = make(1, 100);
	struct authorization out;

	(void)state;
	put(&in);
	must(store_authorization_get(txn, in.id, &out, p));
	assert_null(out.directory);
	assert_int_equal(out.challenges.n, 0);
	assert_int_equal(out.status, AUTHORIZATION_PENDING);
	authorization_free(&out);
	assert_int_equal(rows_count(KEY_EXPIRY), 0);
	must_refuse(PROBLEM_NOT_FOUND, store_authorization_get(txn, "nobody", &out, p));
}

static void test_find(void **state)
{
	static const struct {
		unsigned account;
		const char *type, *value;
		bool wildcard;
		int64_t created;
	} stored[] = {
		{ 100, "dns", "example.com", false, 10 },
		{ 100, "dns", "example.com", false, 30 },
		{ 100, "dns", "example.com", false, 20 },
		{ 100, "dns", "example.com", true, 10 },
		{ 100, "dns", "www.example.com", false, 10 },
		{ 101, "dns", "example.com", false, 10 },
		{ 100, "ip", "192.0.2.1", false, 10 },
	};
	static const struct {
		unsigned account;
		const char *type, *value;
		bool wildcard;
		size_t limit;
		int want[4];
	} rows[] = {
		{ 100, "dns", "example.com", false, 9, { 1, 2, 0, -1 } }, /* newest first */
		{ 100, "dns", "example.com", false, 2, { 1, 2, -1 } },
		{ 100, "dns", "example.com", true, 9, { 3, -1 } },
		{ 100, "dns", "www.example.com", false, 9, { 4, -1 } },
		{ 101, "dns", "example.com", false, 9, { 5, -1 } },
		{ 100, "ip", "192.0.2.1", false, 9, { 6, -1 } },
		{ 100, "dns", "192.0.2.1", false, 9, { -1 } },
		{ 101, "dns", "www.example.com", false, 9, { -1 } },
	};

	(void)state;
	for (unsigned i = 0; i < array_length(stored); i++) {
		struct authorization authorization = make(i, stored[i].account);
		authorization.type = stored[i].type;
		authorization.value = stored[i].value;
		authorization.wildcard = stored[i].wildcard;
		authorization.created = stored[i].created;
		authorization.status = (enum authorization_status)(i % 3); /* of any status */
		put(&authorization);
	}
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(strings) ids = {0};
		char account[RANDOM_ID_SIZE];

		must(store_authorization_find(txn, id_of(rows[i].account, account), rows[i].type, rows[i].value,
		                              rows[i].wildcard, rows[i].limit, &ids, p));
		want_ids(&ids, rows[i].want);
	}
}

static void test_by_account(void **state)
{
	auto_value(strings) seen = {0};
	char account[RANDOM_ID_SIZE], next[128] = "";

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		auto_free char *value = mem_printf("%0250u.example.com", i); /* the cursor stays short */
		struct authorization authorization = make(i, i == 3 ? 101 : 100);
		authorization.value = value;
		put(&authorization);
	}
	do {
		auto_value(store_page) page = {0};
		must(store_authorization_by_account(txn, id_of(100, account), next, 4, &page, p));
		for (size_t i = 0; i < page.ids.n; i++)
			assert_true(strings_add(&seen, page.ids.v[i]));
		strcpy(next, page.next);
	} while (next[0] != '\0');
	assert_int_equal(seen.n, 6);
	for (unsigned i = 0; i < 7; i++) {
		char id[RANDOM_ID_SIZE];
		assert_int_equal(strings_has(&seen, id_of(i, id)), i != 3);
	}
}

static void test_processing(void **state)
{
	static const struct {
		enum challenge_status first, second;
		bool want_listed;
	} rows[] = {
		{ CHALLENGE_PENDING, CHALLENGE_PENDING, false },
		{ CHALLENGE_PENDING, CHALLENGE_PROCESSING, true },
		{ CHALLENGE_PROCESSING, CHALLENGE_PROCESSING, true },
		{ CHALLENGE_VALID, CHALLENGE_PENDING, false },
		{ CHALLENGE_PROCESSING, CHALLENGE_INVALID, true },
		{ CHALLENGE_INVALID, CHALLENGE_INVALID, false },
	};
	struct challenge challenges[2] = { { .type = "http-01", .url_key = "k1" }, { .type = "dns-01", .url_key = "k2" } };
	struct authorization authorization = make(5, 100);

	(void)state;
	authorization.challenges = (struct record_list){ challenges, 2 };
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(store_page) page = {0};

		challenges[0].status = rows[i].first;
		challenges[1].status = rows[i].second;
		put(&authorization);
		must(store_authorization_processing(txn, "", 10, &page, p));
		if (rows[i].want_listed)
			WANT_IDS(page.ids, 5);
		else
			WANT_IDS(page.ids);
	}
}

static void test_count_pending(void **state)
{
	static const struct {
		size_t max, want;
	} rows[] = { { 100, 5 }, { 5, 5 }, { 3, 3 }, { 1, 1 }, { 0, 0 } };
	char account[RANDOM_ID_SIZE];
	size_t n;

	(void)state;
	id_of(100, account);
	for (unsigned i = 0; i < 10; i++) {
		struct authorization authorization = make(i, i == 9 ? 101 : 100);
		put(&authorization);
	}
	for (unsigned i = 0; i < 4; i++) { /* no longer */
		struct authorization authorization = make(i, 100);
		authorization.status = i % 2 == 0 ? AUTHORIZATION_VALID : AUTHORIZATION_INVALID;
		put(&authorization);
	}
	for (size_t i = 0; i < array_length(rows); i++) {
		must(store_authorization_count_pending(txn, account, rows[i].max, &n, p));
		assert_int_equal(n, rows[i].want);
	}
	must_refuse(PROBLEM_NOT_FOUND, store_authorization_count_pending(txn, "nobody", 5, &n, p));
}

static void test_delete_leaves_nothing(void **state)
{
	struct challenge challenge = { .type = "http-01", .url_key = "k1", .status = CHALLENGE_PROCESSING };
	struct authorization authorization = make(1, 100);

	(void)state;
	authorization.expires = 900;
	authorization.challenges = (struct record_list){ &challenge, 1 };
	put(&authorization);
	assert_int_equal(rows_count_all(), 5);
	must(store_authorization_delete(txn, authorization.id, p));
	assert_int_equal(rows_count_all(), 0);
	must(store_authorization_delete(txn, authorization.id, p));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(authorization_status_name(AUTHORIZATION_PENDING), "pending");
	assert_string_equal(authorization_status_name(AUTHORIZATION_VALID), "valid");
	assert_string_equal(authorization_status_name(AUTHORIZATION_INVALID), "invalid");
	assert_string_equal(authorization_status_name(AUTHORIZATION_DEACTIVATED), "deactivated");
	assert_string_equal(authorization_status_name(AUTHORIZATION_EXPIRED), "expired");
	assert_string_equal(authorization_status_name(AUTHORIZATION_REVOKED), "revoked");
	assert_string_equal(challenge_status_name(CHALLENGE_PENDING), "pending");
	assert_string_equal(challenge_status_name(CHALLENGE_PROCESSING), "processing");
	assert_string_equal(challenge_status_name(CHALLENGE_VALID), "valid");
	assert_string_equal(challenge_status_name(CHALLENGE_INVALID), "invalid");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_few_fields),
		ROWS_TEST(test_find),
		ROWS_TEST(test_by_account),
		ROWS_TEST(test_processing),
		ROWS_TEST(test_count_pending),
		ROWS_TEST(test_delete_leaves_nothing),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
