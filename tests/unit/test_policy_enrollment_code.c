#include "policy/enrollment_code.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy/identity.h"

#define ID "enroll000000000000000A"
enum { NOW = 1800000000 };

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

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_enrollment_put(txn, arg, p);
}

/* Stores it, with a fresh code. */
static void make(struct enrollment *e, char code[ENROLLMENT_CODE_SIZE])
{
	uint8_t hash[SHA256_SIZE];
	struct problem p = {0};

	strcpy(e->id, ID);
	e->profile = e->profile ?: "device";
	assert_true(enrollment_code_make(store, ID, code, hash, &p));
	e->hash = BYTES(hash, sizeof(hash));
	assert_true(store_update(store, put, e, &p));
}

static void refused(const char *code, const char *want)
{
	struct enrollment e;
	auto_value(problem) p = {0};

	if (enrollment_code_check(store, code, NOW, &e, &p))
		fail_msg("%s is taken", code);
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	if (!strstr(p.detail, want))
		fail_msg("%s: %s", code, p.detail);
}

static void test_all_fields_come_back(void **state)
{
	static const char *const names[] = { "dns:a.example", "ip:10.0.0.1" };
	struct enrollment in = { .profile = "p", .names = { names, 2 }, .note = "n", .created = 1, .expires = NOW + 1, .uses = 3, .uses_max = 4 };
	auto_value(enrollment) out = {0};
	char code[ENROLLMENT_CODE_SIZE];
	struct problem p = {0};

	(void)state;
	make(&in, code);
	assert_int_equal(strlen(code), ENROLLMENT_CODE_SIZE - 1);
	assert_true(enrollment_code_check(store, code, NOW, &out, &p));
	assert_string_equal(out.id, ID);
	assert_string_equal(out.profile, "p");
	assert_string_equal(out.note, "n");
	assert_int_equal(out.names.n, 2);
	assert_string_equal(out.names.v[1], "ip:10.0.0.1");
	assert_int_equal(out.created * 1000 + out.uses * 10 + out.uses_max, 1034);
	assert_int_equal(out.expires, NOW + 1);
}

static void test_any_other_text_is_refused(void **state)
{
	struct enrollment e = {0};
	char code[ENROLLMENT_CODE_SIZE], other[ENROLLMENT_CODE_SIZE];

	(void)state;
	make(&e, code);
	for (size_t i = 0; i < sizeof(code) - 1; i++) {
		memcpy(other, code, sizeof(code));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		refused(other, "no such");
		memcpy(other, code, sizeof(code));
		other[i] = '\0';
		refused(other, "no such");
	}
	refused("", "no such");
}

static void test_states(void **state)
{
	static const struct {
		struct enrollment e;
		const char *want;
	} rows[] = {
		{ { .revoked = 1 }, "revoked" }, { { .expires = NOW }, "expired" }, { { .expires = 1 }, "expired" },
		{ { .uses = 1, .uses_max = 1 }, "used up" }, { { .uses = 3, .uses_max = 2 }, "used up" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct enrollment e = rows[i].e;
		char code[ENROLLMENT_CODE_SIZE];
		make(&e, code);
		refused(code, rows[i].want);
		code[ENROLLMENT_CODE_SIZE - 2] ^= 1; /* who has not the code is not told */
		refused(code, "no such");
	}
}

static bool use(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	return enrollment_code_use(txn, ID, NOW, p);
}

static void test_uses_are_counted(void **state)
{
	struct enrollment e = { .uses_max = 3 };
	char code[ENROLLMENT_CODE_SIZE];
	auto_value(problem) p = {0};

	(void)state;
	make(&e, code);
	for (int i = 0; i < 3; i++)
		assert_true(store_update(store, use, NULL, &p));
	assert_false(store_update(store, use, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	refused(code, "used up");
}

static void test_identity(void **state)
{
	static const char *const names[] = { "dns:**.example.com" };
	struct enrollment e = { .names = { names, 1 } };
	const struct identifier in = { IDENTIFIER_DNS, "a.example.com" }, out = { IDENTIFIER_DNS, "a.example.org" };
	auto_struct(identity) *identity = NULL;
	char code[ENROLLMENT_CODE_SIZE];
	auto_value(problem) p = {0};

	(void)state;
	make(&e, code);
	assert_true(identity_enrollment(store, code, NOW, &identity, &p));
	assert_string_equal(identity_method(identity), "est");
	assert_string_equal(identity_text(identity), "enrollment code " ID);
	assert_true(identity_proves(identity, &in));
	assert_false(identity_proves(identity, &out));
	assert_true(identity_may(identity, TOKEN_ISSUE, "device", &p));
	assert_false(identity_everywhere(identity));
	assert_null(identity_token(identity));
	assert_false(identity_may(identity, TOKEN_ISSUE, "other", &p));
	assert_false(identity_may(identity, TOKEN_READ, "device", &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_fields_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_other_text_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uses_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
