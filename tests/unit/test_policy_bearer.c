#include "policy/bearer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/identity.h"
#include "policy_make.h"
#include "store/certificate.h"
#include "store/table.h"

#define ID "token0000000000000000A"

static struct store *store;

static int setup(void **state)
{
	static const uint8_t seal_key[32];
	struct kv *kv = NULL;
	struct problem p = {0};

	(void)state;
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static bool put_token(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_token_put(txn, arg, p);
}

static void put(const struct token *token)
{
	struct token copy = *token;
	auto_value(problem) p = {0};

	if (!store_update(store, put_token, &copy, &p))
		fail_msg("%s%s", p.detail, p.cause);
}

static void make(struct token *token, char text[BEARER_SIZE], uint8_t hash[SHA256_SIZE])
{
	struct problem p = {0};

	assert_true(bearer_make(ID, text, hash, &p));
	token->hash = BYTES(hash, SHA256_SIZE);
	strcpy(token->id, ID);
	put(token);
}

static void refused(const char *text, const char *want)
{
	auto_value(problem) p = {0};
	struct token token;

	if (bearer_check(store, text, clock_now(), &token, &p))
		fail_msg("%s is taken", text);
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	if (!strstr(p.detail, want))
		fail_msg("%s", p.detail);
}

static void test_taken(void **state)
{
	struct token token = { .roles = TOKEN_READ, .expires = clock_now() + 100 }, got;
	char text[BEARER_SIZE], other[BEARER_SIZE];
	uint8_t hash[SHA256_SIZE], other_hash[SHA256_SIZE];
	struct problem p = {0};

	(void)state;
	make(&token, text, hash);
	assert_true(str_starts(text, "enrolld_" ID "."));
	assert_int_equal(strlen(text), BEARER_SIZE - 1);
	assert_true(bearer_check(store, text, clock_now(), &got, &p));
	assert_string_equal(got.id, ID);
	assert_int_equal(got.roles, TOKEN_READ);
	token_free(&got);
	assert_true(bearer_make(ID, other, other_hash, &p));
	assert_string_not_equal(other, text);
	refused(other, "no such token");
}

/* Each character counts. */
static void test_changed(void **state)
{
	struct token token = {0};
	char text[BEARER_SIZE], changed[BEARER_SIZE + 1];
	uint8_t hash[SHA256_SIZE];

	(void)state;
	make(&token, text, hash);
	for (size_t i = 0; i < BEARER_SIZE - 1; i++) {
		strcpy(changed, text);
		changed[i] = changed[i] == 'x' ? 'y' : 'x';
		refused(changed, "token");
	}
	strcpy(changed, text);
	changed[BEARER_SIZE - 2] = '\0';
	refused(changed, "looks like");
	snprintf(changed, sizeof(changed), "%sA", text);
	refused(changed, "looks like");
	refused("", "looks like");
	refused("enrolld_", "looks like");
}

static void test_ended(void **state)
{
	struct token token = {0};
	char text[BEARER_SIZE];
	uint8_t hash[SHA256_SIZE];

	(void)state;
	make(&token, text, hash);
	token.expires = clock_now();
	put(&token);
	refused(text, "expired");
	token.expires = 0;
	token.revoked = clock_now();
	put(&token);
	refused(text, "revoked");
}

/* A token that is a certificate has no secret that could be shown. */
static void test_no_hash(void **state)
{
	static const uint8_t key_hash[SHA256_SIZE];
	struct token token = {0};
	char text[BEARER_SIZE];
	uint8_t hash[SHA256_SIZE];

	(void)state;
	make(&token, text, hash);
	token.hash = (struct bytes){0};
	token.key_hash = BYTES(key_hash, sizeof(key_hash));
	put(&token);
	refused(text, "no such token");
}

/* --- certificates */

static void make_certificate(const char *kind, long from, long to, struct buf *ret)
{
	auto(X509) *certificate = X509_new();
	EVP_PKEY *key = make_key(kind);

	assert_true(X509_set_version(certificate, X509_VERSION_3) && X509_gmtime_adj(X509_getm_notBefore(certificate), from) &&
	            X509_gmtime_adj(X509_getm_notAfter(certificate), to) && X509_set_pubkey(certificate, key) &&
	            ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) && X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509, certificate, ret));
}

static void put_key(const char *kind, uint8_t hash[SHA256_SIZE])
{
	struct token token = { .id = ID, .roles = TOKEN_ISSUE, .key_hash = BYTES(hash, SHA256_SIZE) };
	auto_value(buf) spki = {0};
	struct problem p = {0};

	assert_true(ossl_public_der(make_key(kind), &spki, &p));
	digest_sha256(buf_bytes(&spki), hash);
	put(&token);
}

static void test_certificates(void **state)
{
	static const struct {
		const char *kind;
		long from, to;
		const char *want; /* NULL: taken */
	} rows[] = {
		{ "P-256", -100, 100, NULL },
		{ "P-256", -200, -100, "not valid now" },
		{ "P-256", 100, 200, "not valid now" },
		{ "P-256 other", -100, 100, "no token's" },
	};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	put_key("P-256", hash);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		auto_value(problem) p = {0};
		struct token got;
		make_certificate(rows[i].kind, rows[i].from, rows[i].to, &der);
		bool taken = bearer_check_certificate(store, buf_bytes(&der), clock_now(), &got, &p);
		assert_int_equal(taken, rows[i].want == NULL);
		if (taken)
			token_free(&got);
		else if (p.kind != PROBLEM_UNAUTHENTICATED || !strstr(p.detail, rows[i].want))
			fail_msg("%zu: %s", i, p.detail);
	}
}

static bool put_revoked(struct store_txn *txn, void *arg, struct problem *p)
{
	uint8_t fingerprint[SHA256_SIZE];
	const struct buf *der = arg;
	struct certificate certificate = {
		.id = "cert00000000000000000A", .status = CERTIFICATE_REVOKED, .der = buf_bytes(der), .serial = BYTES("1", 1),
		.fingerprint = BYTES(fingerprint, SHA256_SIZE), .key_hash = BYTES(fingerprint, SHA256_SIZE), .issuer = "issuing",
		.profile = "test", .method = "api",
	};

	digest_sha256(certificate.der, fingerprint);
	return store_certificate_put(txn, &certificate, p);
}

static void test_certificate_revoked(void **state)
{
	auto_value(buf) der = {0};
	auto_value(problem) p = {0};
	uint8_t hash[SHA256_SIZE];
	struct token got;

	(void)state;
	put_key("P-256", hash);
	make_certificate("P-256", -100, 100, &der);
	assert_true(store_update(store, put_revoked, &der, &p));
	assert_false(bearer_check_certificate(store, buf_bytes(&der), clock_now(), &got, &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	assert_non_null(strstr(p.detail, "revoked"));
	buf_add_char(&der, 'x');
	assert_false(bearer_check_certificate(store, buf_bytes(&der), clock_now(), &got, &p));
	assert_non_null(strstr(p.detail, "cannot be read"));
}

static bool spoil(struct store_txn *txn, void *arg, struct problem *p)
{
	struct key key;

	(void)arg;
	(void)p;
	key_begin(&key, KEY_CERTIFICATE);
	assert_true(key_add_id(&key, "cert00000000000000000A"));
	kv_put(txn->kv, key_bytes(&key), BYTES("\xff\xff", 2));
	return true;
}

/* Whether it is revoked is not known then: it lets nobody in. */
static void test_certificate_of_unreadable_row(void **state)
{
	auto_value(buf) der = {0};
	auto_value(problem) p = {0};
	uint8_t hash[SHA256_SIZE];
	struct token got;

	(void)state;
	put_key("P-256", hash);
	make_certificate("P-256", -100, 100, &der);
	assert_true(store_update(store, put_revoked, &der, &p) && store_update(store, spoil, NULL, &p));
	assert_false(bearer_check_certificate(store, buf_bytes(&der), clock_now(), &got, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
}

/* --- what an identity may */

static void test_roles(void **state)
{
	static const char *const profiles[] = { "one" };
	static const struct {
		int64_t roles;
		enum token_role role;
		const char *profile;
		bool want;
	} rows[] = {
		{ TOKEN_READ, TOKEN_READ, NULL, true },
		{ TOKEN_READ, TOKEN_READ, "one", true },
		{ TOKEN_READ, TOKEN_READ, "two", false },
		{ TOKEN_READ, TOKEN_READ, "on", false },
		{ TOKEN_READ, TOKEN_ISSUE, "one", false },
		{ TOKEN_ISSUE | TOKEN_REVOKE, TOKEN_REVOKE, "one", true },
		{ TOKEN_ADMIN, TOKEN_ISSUE, "one", true },
		{ TOKEN_ADMIN, TOKEN_READ, "one", true },
		{ TOKEN_ADMIN, TOKEN_ADMIN, "two", false },
		{ TOKEN_ADMIN, TOKEN_KEY, "one", false },
		{ TOKEN_ADMIN | TOKEN_KEY, TOKEN_KEY, "one", true },
		{ 0, TOKEN_READ, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct token token = { .roles = rows[i].roles, .profiles = { profiles, 1 } };
		auto_struct(identity) *identity = NULL;
		auto_value(problem) p = {0};
		char text[BEARER_SIZE];
		uint8_t hash[SHA256_SIZE];
		make(&token, text, hash);
		assert_true(identity_bearer(store, text, clock_now(), &identity, &p));
		assert_false(identity_everywhere(identity));
		assert_string_equal(identity_token(identity)->id, ID);
		if (identity_may(identity, rows[i].role, rows[i].profile, &p) != rows[i].want)
			fail_msg("row %zu", i);
		if (!rows[i].want)
			assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
	}
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(test_taken),
		STORE_TEST(test_changed),
		STORE_TEST(test_ended),
		STORE_TEST(test_no_hash),
		STORE_TEST(test_certificates),
		STORE_TEST(test_certificate_revoked),
		STORE_TEST(test_certificate_of_unreadable_row),
		STORE_TEST(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
