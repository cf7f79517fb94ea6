/* The inventory's commands over a store with three certificates. */
#include "tests/unit/test_admin.h"

#include "base/clock.h"
#include "base/digest.h"
#include "store/certificate.h"

enum { ROWS = 4 };
static struct row {
	const char *name, *profile, *account, *method;
	uint8_t serial[16];
	int64_t not_after;            /* from now */
	char id[RANDOM_ID_SIZE];
	uint8_t fingerprint[32];
} rows[ROWS] = {
	{ .name = "a.example", .profile = "one", .account = "AAAAAAAAAAAAAAAAAAAAAA", .serial = { 0x0f, 1 },
	  .not_after = 3000 },
	{ .name = "b.example", .profile = "two", .account = "AAAAAAAAAAAAAAAAAAAAAA", .serial = { 0xff, 2 },
	  .not_after = 1000 },
	{ .name = "a.example", .profile = "two", .account = "", .serial = { 0x7a, 3 }, .not_after = -1000 },
	{ .name = "responder", .profile = "ocsp-responder", .method = "internal", .account = "", .serial = { 0x7a, 4 }, .not_after = 3000 },
};

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	int64_t now = *(int64_t *)arg;
	for (size_t i = 0; i < ROWS; i++) {
		struct row *row = &rows[i];
		uint8_t der[4] = { 0x30, 2, 5, (uint8_t)i };
		struct certificate_name name = { "dns", row->name };
		digest_sha256(BYTES(der, sizeof der), row->fingerprint);
		struct certificate certificate = {
			.der = BYTES(der, sizeof der), .issuer = "issuing", .serial = BYTES(row->serial,
			                                                                    sizeof row->serial),
			.fingerprint = BYTES(row->fingerprint, 32), .key_hash = BYTES(row->fingerprint, 32),
			.names = { &name, 1 }, .subject = "", .profile = row->profile,
			        .not_before = now - 5000,
			.not_after = now + row->not_after, .issued = now, .method = row->method ?: "acme",
		};
		memcpy(certificate.id, row->id, sizeof certificate.id);
		strcpy(certificate.account, row->account);
		if (!store_certificate_put(txn, &certificate, p))
			return false;
	}
	return true;
}

static int setup(void **state)
{
	auto_struct(store) *store = NULL;
	auto_value(problem) p = {0};
	int64_t now = clock_now();
	if (admin_setup(state) != 0 || !store_open(admin_folder, true, NULL, &store, &p))
		return -1;
	for (size_t i = 0; i < ROWS; i++)
		if (!random_id(rows[i].id, &p))
			return -1;
	return store_update(store, put, &now, &p) ? 0 : -1;
}

static bool lists(const char *line, size_t i)
{
	auto_struct(json) *list = admin_json(&admin_cert_list, line);
	for (size_t n = 0; n < json_length(list); n++)
		if (str_equal(json_member_string(json_at(list, n), "id"), rows[i].id))
			return true;
	return false;
}

static void list_chooses(void **state)
{
	(void)state;
	static const struct { const char *line; bool want[ROWS]; } cases[] = {
		{ "--json", { true, true, true } },
		{ "--json --profile ocsp-responder", { [3] = true } },
		{ "--json --method internal", { [3] = true } },
		{ "--json --name responder", { [3] = true } },
		{ "--json --serial 7a040000000000000000000000000000", { [3] = true } },
		{ "--json --issuer issuing", { true, true, true } },
		{ "--json --name dns:a.example", { true, false, true } },
		{ "--json --name dns:c.example", { false, false, false } },
		{ "--json --profile two", { false, true, true } },
		{ "--json --account AAAAAAAAAAAAAAAAAAAAAA", { true, true, false } },
		{ "--json --name a.example", { true, false, true } },
		{ "--json --name ip:a.example", { false, false, false } },
		{ "--json --name A.Example", { true, false, true } },
		{ "--json --name a.example --profile one", { true, false, false } },
		{ "--json --name a.example --status expired", { false, false, true } },
		{ "--json --serial 0f010000000000000000000000000000", { true, false, false } },
		{ "--json --serial F:01:00:00:00:00:00:00:00:00:00:00:00:00:00:00", { true, false, false } },
		{ "--json --serial 0f010000000000000000000000000000 --profile two", { false, false, false } },
		{ "--json --status valid", { true, true, false } },
		{ "--json --status expired", { false, false, true } },
		{ "--json --status revoked", { false, false, false } },
		{ "--json --status renewed", { false, false, false } },
		{ "--json --status expiring", { true, true, false } },
		{ "--json --status expiring --expires-before 1500s", { false, true, false } },
		{ "--json --status valid --profile two", { false, true, false } },
		{ "--json --expires-after 1500s", { true, false, false } },
		{ "--json --expires-before 1500s", { false, true, true } },
		{ "--json --expires-after 0s --expires-before 1500s", { false, true, false } },
		{ "--json --expires-before 2020-01-01T00:00:00Z", { false, false, false } },
		{ "--json --method acme", { true, true, true } },
		{ "--json --method est", { false, false, false } },
		{ "--json --identity nobody", { false, false, false } },
		{ "--json --metadata team=red", { false, false, false } },
	};
	for (size_t c = 0; c < array_length(cases); c++)
		for (size_t i = 0; i < ROWS; i++)
			assert_int_equal(lists(cases[c].line, i), cases[c].want[i]);
	auto_struct(json) *one = admin_json(&admin_cert_list, "--json --limit 1");
	assert_int_equal(json_length(one), 1);
	admin_refused(&admin_cert_list, "--limit 0", PROBLEM_MALFORMED,
	              "--limit: expected a number from 1, got `0`");
	admin_refused(&admin_cert_list, "--limit 1x", PROBLEM_MALFORMED, "--limit");
	static const char *const bad[] = {
		"--serial xyz", "--serial 0x", "--serial 000000000000000000000000000000000000000000000000ff112233445566778899aabbccddeeff0011223344",
		"--fingerprint ab", "--key ab", "--status good", "--expires-after soon", "--account nobody",
	};
	for (size_t i = 0; i < array_length(bad); i++) {
		auto_free char *text = NULL;
		auto_value(problem) p = {0};
		assert_false(admin_try(&admin_cert_list, bad[i], &text, &p));
		assert_string_equal(problem_kind_name(p.kind), "MALFORMED");
	}
	admin_refused(&admin_cert_list, "--after BBBBBBBBBBBBBBBBBBBBBB", PROBLEM_NOT_FOUND, "BBBBBBBB");
	char other[64];
	snprintf(other, sizeof other, "--profile one --after %s", rows[1].id);
	admin_refused(&admin_cert_list, other, PROBLEM_MALFORMED, "not one that is looked for");
}

static void soonest_to_expire_first(void **state)
{
	(void)state;
	char line[64] = "--json --expires-after ";
	clock_format(clock_now(), line + strlen(line));
	auto_struct(json) *list = admin_json(&admin_cert_list, line);
	assert_int_equal(json_length(list), 2);
	assert_string_equal(json_member_string(json_at(list, 0), "id"), rows[1].id);
	assert_string_equal(json_member_string(json_at(list, 1), "id"), rows[0].id);
}

/* Page by page as all at once, whatever the list is read from. */
static bool put_many(struct store_txn *txn, void *arg, struct problem *p)
{
	static const char *const types[] = { "dns", "cn", "uri" };
	int64_t now = *(int64_t *)arg;
	for (uint8_t i = 0; i < 40; i++) {
		uint8_t serial[4] = { 0x11, 0, 0, i }, digest[32] = { 0x22, i }, key[32] = { 0x33 };
		struct certificate_name names[] = { { types[i % 3], "many.example" }, { types[(i + 1) % 3], "many.example" } };
		struct certificate certificate = {
			.der = BYTES(serial, 4), .issuer = i % 2 ? "issuing" : "second", .serial = BYTES(serial, 4),
			.fingerprint = BYTES(digest, 32), .key_hash = BYTES(key, 32), .names = { names, i % 4 ? 2 : 1 }, .subject = "",
			.profile = "many", .issued = now - i % 7, .not_before = now, .not_after = now + 100000 + i % 5, .method = "est",
			.status = i % 3 ? CERTIFICATE_VALID : CERTIFICATE_REVOKED, .revoked = i % 3 ? 0 : now,
		};
		strcpy(certificate.account, "CCCCCCCCCCCCCCCCCCCCCA");
		if (!random_id(certificate.id, p) || !store_certificate_put(txn, &certificate, p))
			return false;
	}
	return true;
}

static void pages_join(void **state)
{
	static const struct { const char *line; size_t want; } lists_of[] = {
		{ "", 43 }, { "--name many.example", 40 }, { "--name cn:many.example", 23 }, { "--profile many", 40 },
		{ "--key 3300000000000000000000000000000000000000000000000000000000000000", 40 },
		{ "--account CCCCCCCCCCCCCCCCCCCCCA", 40 }, { "--status revoked", 14 }, { "--status valid", 28 },
		{ "--expires-after 1d", 40 }, { "--profile many --status revoked", 14 },
		{ "--serial 11000005", 1 }, { "--fingerprint 2205000000000000000000000000000000000000000000000000000000000000", 1 },
		{ "--method est --name many.example --status valid", 26 },
	};
	auto_value(problem) p = {0};
	struct store *store = NULL;
	int64_t now = clock_now();
	(void)state;
	assert_true(store_open(admin_folder, false, NULL, &store, &p) && store_update(store, put_many, &now, &p));
	store_close(store);
	for (size_t i = 0; i < array_length(lists_of); i++) {
		auto_value(strings) ids = {0};
		char line[160], after[RANDOM_ID_SIZE] = "";
		snprintf(line, sizeof line, "%s --json", lists_of[i].line);
		auto_struct(json) *all = admin_json(&admin_cert_list, line);
		for (;;) {
			snprintf(line, sizeof line, "%s --json --limit 7 %s %s", lists_of[i].line, *after ? "--after" : "", after);
			auto_struct(json) *page = admin_json(&admin_cert_list, line);
			assert_true(json_length(page) <= 7);
			for (size_t n = 0; n < json_length(page); n++)
				assert_true(strings_add(&ids, json_member_string(json_at(page, n), "id")));
			if (json_length(page) < 7)
				break;
			strcpy(after, ids.v[ids.n - 1]);
		}
		if (json_length(all) != ids.n)
			fail_msg("%s: %zu, by pages %zu", lists_of[i].line, json_length(all), ids.n);
		for (size_t n = 0; n < ids.n; n++)
			assert_string_equal(ids.v[n], json_member_string(json_at(all, n), "id"));
		assert_int_equal(ids.n, lists_of[i].want);
	}
}

static void list_is_a_table(void **state)
{
	(void)state;
	auto_free char *text = admin_run(&admin_cert_list, "--profile one");
	assert_true(str_starts(text, "ID "));
	assert_non_null(strstr(text, rows[0].id));
	assert_non_null(strstr(text, "  valid    2"));
	assert_non_null(strstr(text, "  one               dns:a.example\n"));
	auto_free char *none = admin_run(&admin_cert_list, "--profile three");
	assert_string_equal(none, "");
}

/* As people paste them. */
static void shown_by_any_of_its_names(void **state)
{
	(void)state;
	auto_value(buf) fingerprint = {0};
	buf_add_hex(&fingerprint, BYTES(rows[0].fingerprint, 32));
	const char *names[] = {
		rows[0].id, "0f010000000000000000000000000000", "F010000000000000000000000000000",
		"0x0f010000000000000000000000000000", "0F:01:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
		"000f010000000000000000000000000000", buf_text(&fingerprint),
	};
	for (size_t i = 0; i < array_length(names); i++) {
		char line[128];
		snprintf(line, sizeof line, "%s --json", names[i]);
		auto_struct(json) *shown = admin_json(&admin_cert_show, line);
		assert_string_equal(json_member_string(shown, "id"), rows[0].id);
		assert_true(str_starts(json_member_string(shown, "pem"), "-----BEGIN CERTIFICATE-----\n"));
	}
	static const char *const missing[] = { "0f", "zz", "0x", ":", "BBBBBBBBBBBBBBBBBBBBBB", "00" };
	for (size_t i = 0; i < array_length(missing); i++)
		admin_refused(&admin_cert_show, missing[i], PROBLEM_NOT_FOUND, missing[i]);
}

static void status_is_told(void **state)
{
	(void)state;
	static const char *const want[ROWS] = { "valid", "valid", "expired", "valid" };
	for (size_t i = 0; i < ROWS; i++) {
		char line[64];
		snprintf(line, sizeof line, "%s --json", rows[i].id);
		auto_struct(json) *shown = admin_json(&admin_cert_show, line);
		assert_string_equal(json_member_string(shown, "status"), want[i]);
	}
}

static void revokes_once(void **state)
{
	(void)state;
	char line[80];
	snprintf(line, sizeof line, "%s --reason keyCompromise --json", rows[1].id);
	auto_struct(json) *revoked = admin_json(&admin_cert_revoke, line);
	assert_string_equal(json_member_string(revoked, "status"), "revoked");
	assert_string_equal(json_member_string(revoked, "reason"), "keyCompromise");
	assert_true(str_starts(json_member_string(revoked, "revokedBy"), "operator "));
	admin_refused(&admin_cert_revoke, rows[1].id, PROBLEM_ALREADY_REVOKED, "already");
	assert_true(lists("--json --status revoked", 1));
	assert_false(lists("--json --status revoked", 0));
	assert_true(lists("--json --status revoked --profile two", 1));
	assert_false(lists("--json --status revoked --profile one", 1));
	assert_false(lists("--json --status valid", 1));
	auto_free char *text = admin_run(&admin_cert_show, rows[1].id);
	assert_non_null(strstr(text, "reason       keyCompromise\n"));
}

static void reasons_are_judged(void **state)
{
	(void)state;
	static const struct { const char *reason; const char *want; } good[] = {
		{ "", "unspecified" }, { "--reason 4", "superseded" }, { "--reason cACompromise",
		                                                         "cACompromise" },
	};
	static const char *const bad[] = { "7", "11", "-1", "keycompromise!", "removeFromCRL" };
	char line[80];
	for (size_t i = 0; i < array_length(bad); i++) {
		auto_free char *text = NULL;
		auto_value(problem) p = {0};
		snprintf(line, sizeof line, "%s --reason %s", rows[0].id, bad[i]);
		assert_false(admin_try(&admin_cert_revoke, line, &text, &p));
	}
	for (size_t i = 0; i < array_length(good); i++) {
		snprintf(line, sizeof line, "%s %s", rows[i].id, good[i].reason);
		auto_free char *text = admin_run(&admin_cert_revoke, line);
		assert_non_null(strstr(text, good[i].want));
	}
	admin_refused(&admin_cert_revoke, "00", PROBLEM_NOT_FOUND, "no certificate");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, admin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_chooses),
		TEST(soonest_to_expire_first),
		TEST(pages_join),
		TEST(list_is_a_table),
		TEST(shown_by_any_of_its_names),
		TEST(status_is_told),
		TEST(revokes_once),
		TEST(reasons_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
