/* The inventory's commands over a store with three certificates. */
#include "tests/unit/test_admin.h"

#include "base/clock.h"
#include "base/digest.h"
#include "store/certificate.h"

enum { ROWS = 3 };
static struct row {
	const char *name, *profile, *account;
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
			.not_after = now + row->not_after, .issued = now, .method = "acme",
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
		{ "--json --name dns:a.example", { true, false, true } },
		{ "--json --name dns:c.example", { false, false, false } },
		{ "--json --profile two", { false, true, true } },
		{ "--json --account AAAAAAAAAAAAAAAAAAAAAA", { true, true, false } },
		{ "--json --revoked issuing", { false, false, false } },
	};
	for (size_t c = 0; c < array_length(cases); c++)
		for (size_t i = 0; i < ROWS; i++)
			assert_int_equal(lists(cases[c].line, i), cases[c].want[i]);
	auto_struct(json) *one = admin_json(&admin_cert_list, "--json --limit 1");
	assert_int_equal(json_length(one), 1);
	admin_refused(&admin_cert_list, "--limit 0", PROBLEM_MALFORMED,
	              "--limit: expected a number from 1, got `0`");
	admin_refused(&admin_cert_list, "--limit 1x", PROBLEM_MALFORMED, "--limit");
	admin_refused(&admin_cert_list, "--name dns:a --profile one", PROBLEM_MALFORMED,
	              "expected one choice");
}

static void soonest_to_expire_first(void **state)
{
	(void)state;
	char line[64] = "--json --expiring-from ";
	clock_format(clock_now(), line + strlen(line));
	auto_struct(json) *list = admin_json(&admin_cert_list, line);
	assert_int_equal(json_length(list), 2);
	assert_string_equal(json_member_string(json_at(list, 0), "id"), rows[1].id);
	assert_string_equal(json_member_string(json_at(list, 1), "id"), rows[0].id);
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
	static const char *const want[ROWS] = { "valid", "valid", "expired" };
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
	assert_true(lists("--json --revoked issuing", 1));
	assert_false(lists("--json --revoked issuing", 0));
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
		TEST(list_is_a_table),
		TEST(shown_by_any_of_its_names),
		TEST(status_is_told),
		TEST(revokes_once),
		TEST(reasons_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
