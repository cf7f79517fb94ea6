/* The commands of accounts and of external account keys. */
#include "tests/unit/test_admin.h"

#include "base/base64.h"
#include "base/clock.h"
#include "store/account.h"
#include "store/eab.h"

static char account_id[RANDOM_ID_SIZE];

static bool put_account(struct store_txn *txn, void *arg, struct problem *p)
{
	static const char *const contacts[] = { "mailto:a@example.com", "mailto:b@example.com" };
	static const uint8_t key[4] = { 1, 2, 3, 4 }, thumbprint[32] = { 5 };
	struct account account = {
		.directory = "one", .status = ACCOUNT_VALID, .key = BYTES(key, 4),
		        .thumbprint = BYTES(thumbprint, 32), .jwk = "{}",
		.contacts = { contacts, 2 }, .created = clock_now(), .created_from = "192.0.2.1",
		        .eab_kid = "kid",
	};
	(void)arg;
	memcpy(account.id, account_id, sizeof account.id);
	return store_account_put(txn, &account, p);
}

static int setup(void **state)
{
	auto_struct(store) *store = NULL;
	auto_value(problem) p = {0};
	return admin_setup(state) == 0 && store_open(admin_folder, true, NULL, &store, &p) &&
	       random_id(account_id, &p) &&
	       store_update(store, put_account, NULL, &p) ? 0 : -1;
}

static void account_is_listed_and_shown(void **state)
{
	(void)state;
	char line[64];
	auto_struct(json) *list = admin_json(&admin_account_list, "--json");
	assert_int_equal(json_length(list), 1);
	const struct json *account = json_at(list, 0);
	assert_string_equal(json_member_string(account, "id"), account_id);
	assert_string_equal(json_member_string(account, "status"), "valid");
	assert_string_equal(json_member_string(account, "eab"), "kid");
	assert_string_equal(json_string(json_at(json_member(account, "contact"), 1)), "mailto:b@example.com");
	snprintf(line, sizeof line, "%s --json", account_id);
	auto_struct(json) *shown = admin_json(&admin_account_show, line);
	assert_string_equal(json_member_string(shown, "createdFrom"), "192.0.2.1");
	auto_free char *text = admin_run(&admin_account_list, "");
	assert_non_null(strstr(text, "mailto:a@example.com mailto:b@example.com\n"));
	auto_free char *page = admin_run(&admin_account_show, account_id);
	assert_non_null(strstr(page, "directory    one\n"));
}

/* Status and the first page of the end of its work are one update. */
static void deactivation_cancels_work_once(void **state)
{
	(void)state;
	auto_free char *text = admin_run(&admin_account_deactivate, account_id);
	assert_non_null(strstr(text, "deactivated"));
	assert_int_equal(admin_cancelled, 1);
	admin_refused(&admin_account_deactivate, account_id, PROBLEM_CONFLICT, "deactivated already");
	assert_int_equal(admin_cancelled, 1);
}

/* What is left of it when the command is interrupted is a server's. */
static void deactivation_goes_on_page_by_page(void **state)
{
	(void)state;
	admin_pages = 4;
	free(admin_run(&admin_account_deactivate, account_id));
	assert_int_equal(admin_cancelled, 4);
}

static bool refuse_to_cancel(struct store_txn *txn, const char *id, bool *ret_more, struct problem *p)
{
	(void)txn, (void)id, (void)ret_more;
	return problem_internal(p, "no");
}

static void deactivation_that_fails_changes_nothing(void **state)
{
	(void)state;
	auto_free char *text = NULL;
	auto_value(problem) p = {0};
	admin.cancel_work = refuse_to_cancel;
	assert_false(admin_try(&admin_account_deactivate, account_id, &text, &p));
	auto_free char *page = admin_run(&admin_account_show, account_id);
	assert_non_null(strstr(page, "status       valid\n"));
}

static void unknown_accounts_are_refused(void **state)
{
	(void)state;
	static const char *const ids[] = { "x", "BBBBBBBBBBBBBBBBBBBBBB", "../../etc/passwd" };
	for (size_t i = 0; i < array_length(ids); i++) {
		admin_refused(&admin_account_show, ids[i], PROBLEM_NOT_FOUND, "there is no account");
		admin_refused(&admin_account_deactivate, ids[i], PROBLEM_NOT_FOUND, "there is no account");
	}
}

/* --- external account keys */

struct reading {
	const char *kid;
	struct eab eab;
};

static bool get_eab(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *reading = arg;
	return store_eab_get(txn, reading->kid, &reading->eab, p);
}

/* What is printed is what is sealed under the context that acme/ reveals it with. */
static void eab_key_is_sealed_and_shown_once(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_eab_create, "--json --note gateway");
	auto_struct(store) *store = NULL;
	auto_value(problem) p = {0};
	auto_value(buf) shown = {0}, revealed = {0};
	struct reading reading = { .kid = json_member_string(made, "kid") };
	const char *key = json_member_string(made, "key");
	auto_free char *context = mem_printf("eab %s", reading.kid);
	assert_true(base64url_decode(key, strlen(key), &shown));
	assert_int_equal(shown.len, 64);
	assert_true(store_open(admin_folder, false, NULL, &store, &p));
	assert_true(store_view(store, get_eab, &reading, &p));
	assert_true(seal_reveal(store_seal(store), context, reading.eab.sealed_key, &revealed));
	assert_true(bytes_equal(buf_bytes(&shown), buf_bytes(&revealed)));
	assert_string_equal(reading.eab.note, "gateway");
	eab_free(&reading.eab);
	auto_free char *list = admin_run(&admin_eab_list, "--json");
	assert_null(strstr(list, key));
}

/* Clients read them as values of options. */
static void eab_never_looks_like_an_option(void **state)
{
	(void)state;
	for (int i = 0; i < 150; i++) {
		auto_struct(json) *made = admin_json(&admin_eab_create, "--json");
		assert_true(json_member_string(made, "kid")[0] != '-');
		assert_true(json_member_string(made, "key")[0] != '-');
	}
}

static void eab_bounds(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_eab_create,
	                                     "--json --profile two,one --uses 3 --expires 30d");
	const struct json *profiles = json_member(made, "profiles");
	int64_t uses;
	assert_int_equal(json_length(profiles), 2);
	assert_string_equal(json_string(json_at(profiles, 0)), "two");
	assert_true(json_integer(json_member(made, "usesMax"), &uses) && uses == 3);
	int64_t expires;
	assert_true(clock_parse(json_member_string(made, "expires"), &expires));
	assert_in_range(expires, clock_now() + 30 * 86400 - 10, clock_now() + 30 * 86400);
	admin_refused(&admin_eab_create, "--profile three", PROBLEM_NOT_FOUND, "there is no profile three");
	static const char *const bad[] = { "--uses 0", "--uses x", "--uses -1", "--expires 0",
	                                   "--expires soon",
	                                   "--expires 2020-01-01T00:00:00Z" };
	for (size_t i = 0; i < array_length(bad); i++)
		admin_refused(&admin_eab_create, bad[i], PROBLEM_MALFORMED, "expected");
}

static void eab_status_is_told(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_eab_create, "--json --expires 1h");
	const char *kid = json_member_string(made, "kid");
	assert_string_equal(json_member_string(made, "status"), "valid");
	clock_shift(3600);
	auto_struct(json) *list = admin_json(&admin_eab_list, "--json");
	assert_string_equal(json_member_string(json_at(list, 0), "status"), "expired");
	clock_shift(-3600);
	free(admin_run(&admin_eab_revoke, kid));
	auto_struct(json) *after = admin_json(&admin_eab_list, "--json");
	assert_string_equal(json_member_string(json_at(after, 0), "status"), "revoked");
	auto_free char *text = admin_run(&admin_eab_list, "");
	assert_non_null(strstr(text, "revoked"));
	admin_refused(&admin_eab_revoke, kid, PROBLEM_ALREADY_REVOKED, "already");
	admin_refused(&admin_eab_revoke, "BBBBBBBBBBBBBBBBBBBBBB", PROBLEM_NOT_FOUND,
	              "there is no external account key");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, admin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(account_is_listed_and_shown),
		TEST(deactivation_cancels_work_once),
		TEST(deactivation_goes_on_page_by_page),
		TEST(deactivation_that_fails_changes_nothing),
		TEST(unknown_accounts_are_refused),
		TEST(eab_key_is_sealed_and_shown_once),
		TEST(eab_never_looks_like_an_option),
		TEST(eab_bounds),
		TEST(eab_status_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
