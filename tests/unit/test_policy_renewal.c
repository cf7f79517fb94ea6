/* Who asked over the API earlier: recalled with the rights of the token as it is now; and the server itself, which renews
 * exactly what there is. */
#include "policy/identity.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"
#include "store/certificate.h"
#include "store/token.h"

#define TOKEN_ID "token0000000000000000A"

static struct store *store;

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_token_put(txn, arg, p);
}

static void put_token(int64_t expires, int64_t revoked)
{
	const struct token token = {
		.id = TOKEN_ID, .hash = BYTES("0123456789abcdef0123456789abcdef", 32), .name = "robot", .roles = TOKEN_ISSUE | TOKEN_READ,
		.created = 1, .expires = expires, .revoked = revoked,
	};
	struct token copy = token;
	struct problem p = {0};

	assert_true(store_update(store, put, &copy, &p));
}

static void recalled_as_it_is_now(void **state)
{
	auto_struct(identity) *identity = NULL;
	auto_value(problem) p = {0};

	(void)state;
	put_token(0, 0);
	assert_true(identity_recall(store, "token " TOKEN_ID, 100, &identity, &p));
	assert_string_equal(identity_text(identity), "token " TOKEN_ID);
	assert_string_equal(identity_name(identity), "robot");
	assert_true(identity_may(identity, TOKEN_ISSUE, "any", &p));
	struct identity *none = NULL;
	static const char *const wrong[] = { "operator", "token ", "token x", "token other0000000000000000A", TOKEN_ID };
	for (size_t i = 0; i < array_length(wrong); i++)
		assert_false(identity_recall(store, wrong[i], 100, &none, &p));
	put_token(50, 0);
	assert_false(identity_recall(store, "token " TOKEN_ID, 100, &none, &p));
	put_token(0, 60);
	assert_false(identity_recall(store, "token " TOKEN_ID, 100, &none, &p));
	assert_null(none);
}

static struct certificate_name names[] = { { "cn", "www.example.com" }, { "dns", "www.example.com" }, { "ip", "192.0.2.1" } };

static struct certificate row_make(void)
{
	return (struct certificate){
		.id = "certificate000000000AA", .method = "api", .identity = "token " TOKEN_ID, .profile = "server",
		.names = { names, array_length(names) },
	};
}

static bool proves(const struct identity *identity, const char *text)
{
	struct identifier name = make_identifier(text);

	return identity_proves(identity, &name);
}

/* Whatever has become of the token. */
static void renews_what_there_is_and_nothing_else(void **state)
{
	const struct certificate row = row_make();
	auto_value(problem) p = {0};

	(void)state;
	for (int revoked = 0; revoked < 2; revoked++) {
		auto_struct(identity) *identity = NULL;
		put_token(0, revoked);
		assert_true(identity_renewal(store, &row, &identity, &p));
		assert_string_equal(identity_method(identity), "api");
		assert_string_equal(identity_text(identity), "token " TOKEN_ID);
		assert_string_equal(identity_name(identity), "robot");
		assert_null(identity_token(identity));
		assert_true(proves(identity, "dns:www.example.com") && proves(identity, "ip:192.0.2.1"));
		assert_false(proves(identity, "dns:example.com") || proves(identity, "dns:*.example.com") || proves(identity, "ip:192.0.2.2"));
		assert_true(identity_may(identity, TOKEN_ISSUE, "server", &p));
		assert_false(identity_may(identity, TOKEN_ISSUE, "other", &p));
		problem_done(&p);
		p = (struct problem){0};
	}
}

static void renews_no_other_kind(void **state)
{
	static const char *const methods[] = { "acme", "est", "import", "internal" };
	struct identity *none = NULL;

	(void)state;
	for (size_t i = 0; i < array_length(methods); i++) {
		struct certificate row = row_make();
		auto_value(problem) p = {0};
		row.method = methods[i];
		assert_false(identity_renewal(store, &row, &none, &p));
		assert_int_equal(p.kind, PROBLEM_CONFLICT);
	}
}

static int setup(void **state)
{
	const uint8_t seal[32] = { 1 };
	struct problem p = {0};
	struct kv *kv = NULL;

	(void)state;
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal, &store, &p) ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recalled_as_it_is_now),
		cmocka_unit_test(renews_what_there_is_and_nothing_else),
		cmocka_unit_test(renews_no_other_kind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
