/* The commands of API tokens. */
#include "base/file.h"
#include "tests/unit/test_admin.h"

#include "base/clock.h"
#include "base/ossl.h"
#include "policy/bearer.h"
#include "policy/identity.h"

static int setup(void **state)
{
	auto_struct(store) *store = NULL;
	auto_value(problem) p = {0};
	return admin_setup(state) == 0 && store_open(admin_folder, true, NULL, &store, &p) ? 0 : -1;
}

static bool is_taken(const char *text, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_struct(identity) *identity = NULL;
	assert_true(store_open(admin_folder, false, NULL, &store, p));
	return identity_bearer(store, text, clock_now(), &identity, p);
}

/* Shown once, counts, and is nowhere in what the store keeps. */
static void token_is_shown_once_and_counts(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_token_create, "--json --role issue,read --note pipeline");
	const char *text = json_member_string(made, "token"), *id = json_member_string(made, "id");
	auto_value(problem) p = {0};
	auto_value(buf) data = {0};
	auto_free char *path = mem_printf("%s/data.mdb", admin_folder);
	assert_true(is_taken(text, &p));
	auto_free char *list = admin_run(&admin_token_list, "--json");
	const char *secret = strchr(text, '.') + 1;
	assert_non_null(strstr(list, id));
	assert_null(strstr(list, secret));
	assert_true(file_read(path, BUF_MAX - 1, &data, &p));
	assert_non_null(memmem(data.data, data.len, "pipeline", 8));
	assert_null(memmem(data.data, data.len, secret, strlen(secret)));
	auto_free char *page = admin_run(&admin_token_list, "");
	assert_non_null(strstr(page, "issue,read  (all)  (any)  pipeline\n"));
}

/* Whom approvals and policies take the bearer for. */
static void audit_log_tells_whose_it_is(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_token_create, "--json --role approve --identity alice");
	auto_free char *told = admin_run(&admin_audit_list, "--last 1");

	assert_non_null(strstr(told, json_member_string(made, "id")));
	assert_non_null(strstr(told, "alice"));
}

static void token_is_revoked(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_token_create, "--json --role admin");
	const char *text = json_member_string(made, "token"), *id = json_member_string(made, "id");
	auto_value(problem) p = {0};
	auto_free char *said = admin_run(&admin_token_revoke, id);
	assert_non_null(strstr(said, "revoked "));
	assert_false(is_taken(text, &p));
	admin_refused(&admin_token_revoke, id, PROBLEM_ALREADY_REVOKED, "already");
	admin_refused(&admin_token_revoke, "BBBBBBBBBBBBBBBBBBBBBB", PROBLEM_NOT_FOUND, "there is no token");
	auto_struct(json) *list = admin_json(&admin_token_list, "--json");
	assert_string_equal(json_member_string(json_at(list, 0), "status"), "revoked");
}

static void token_bounds(void **state)
{
	(void)state;
	int64_t expires;
	auto_struct(json) *made = admin_json(&admin_token_create,
	        "--json --role issue,issue --profile two,one --name dns:**.example.com,ip:10.0.0.0/8");
	assert_int_equal(json_length(json_member(made, "roles")), 1);
	assert_int_equal(json_length(json_member(made, "profiles")), 2);
	assert_string_equal(json_string(json_at(json_member(made, "names"), 1)), "ip:10.0.0.0/8");
	assert_true(clock_parse(json_member_string(made, "expires"), &expires));
	assert_in_range(expires, clock_now() + 365 * 86400 - 10, clock_now() + 365 * 86400);
	auto_struct(json) *always = admin_json(&admin_token_create, "--json --role read --expires never");
	assert_null(json_member(always, "expires"));
	auto_struct(json) *brief = admin_json(&admin_token_create, "--json --role read --expires 1h");
	auto_value(problem) p = {0};
	auto_free char *before = admin_run(&admin_token_list, "");
	assert_null(strstr(before, "expired"));
	clock_shift(3601);
	auto_free char *after = admin_run(&admin_token_list, "");
	assert_non_null(strstr(after, "expired"));
	assert_false(is_taken(json_member_string(brief, "token"), &p));
	clock_shift(-3601);
}

static void bad_values_are_refused(void **state)
{
	static const struct {
		const char *line;
		enum problem_kind kind;
		const char *want;
	} rows[] = {
		{ "", PROBLEM_MALFORMED, "at least one role" },
		{ "--role root", PROBLEM_MALFORMED, "no role root" },
		{ "--role read --profile three", PROBLEM_NOT_FOUND, "no profile three" },
		{ "--role read --name example.com", PROBLEM_MALFORMED, "such as dns:" },
		{ "--role read --name dns:a..b", PROBLEM_REJECTED_IDENTIFIER, "a..b" },
		{ "--role read --name cn:x", PROBLEM_MALFORMED, "such as dns:" },
		{ "--role read --expires 0", PROBLEM_MALFORMED, "expected" },
		{ "--role read --expires soon", PROBLEM_MALFORMED, "expected" },
		{ "--role read --certificate /nowhere/at/all", PROBLEM_NOT_FOUND, "/nowhere" },
		{ "--role read --certificate /etc/passwd", PROBLEM_MALFORMED, "CERTIFICATE" },
	};
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		admin_refused(&admin_token_create, rows[i].line, rows[i].kind, rows[i].want);
	auto_free char *list = admin_run(&admin_token_list, "--json");
	assert_string_equal(list, "[]\n");
}

/* A token that is a certificate has no secret; one key is one token. */
static void certificate_is_a_token(void **state)
{
	auto(X509) *certificate = X509_new();
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto_value(buf) der = {0}, pem = {0};
	auto_value(problem) p = {0};
	auto_struct(store) *store = NULL;
	auto_struct(identity) *identity = NULL;
	auto_free char *path = mem_printf("%s/client.pem", admin_folder), *line = mem_printf("--json --role read --certificate %s", path);

	(void)state;
	assert_true(X509_gmtime_adj(X509_getm_notBefore(certificate), -10) && X509_gmtime_adj(X509_getm_notAfter(certificate), 100) &&
	            X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0 &&
	            ossl_der(i2d_X509, certificate, &der));
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	assert_true(file_write(path, buf_bytes(&pem), 0600, &p));
	auto_struct(json) *made = admin_json(&admin_token_create, line);
	assert_null(json_member(made, "token"));
	assert_int_equal(strlen(json_member_string(made, "keyHash")), 64);
	admin_refused(&admin_token_create, line, PROBLEM_CONFLICT, "");
	assert_true(store_open(admin_folder, false, NULL, &store, &p));
	assert_true(identity_client(store, buf_bytes(&der), clock_now(), &identity, &p));
	assert_string_equal(identity_token(identity)->id, json_member_string(made, "id"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, admin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(token_is_shown_once_and_counts),
		TEST(audit_log_tells_whose_it_is),
		TEST(token_is_revoked),
		TEST(token_bounds),
		TEST(bad_values_are_refused),
		TEST(certificate_is_a_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
