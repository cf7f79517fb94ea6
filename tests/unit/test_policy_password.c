#include "policy/password.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy/identity.h"

#define ID "enroll000000000000000A"
#define WORDS "Circle of Life"
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

static void make(struct enrollment *e, const char *user, const char *words, bool with_digest)
{
	static uint8_t hash[SHA256_SIZE], salt[PASSWORD_SALT_SIZE];
	static struct buf md5, sha256;
	struct problem p = {0};

	buf_clear(&md5);
	buf_clear(&sha256);
	strcpy(e->id, ID);
	e->profile = "device";
	e->user = user;
	if (e->kind == ENROLLMENT_SECRET)
		password_keep_secret(store, user, words, hash);
	else
		assert_true(password_keep(words, salt, hash, &p));
	e->hash = BYTES(hash, sizeof(hash));
	e->salt = e->kind == ENROLLMENT_PASSWORD ? BYTES(salt, sizeof(salt)) : BYTES("", 0);
	assert_true(password_keep_digest(store, user, words, false, &md5, &p) && password_keep_digest(store, user, words, true, &sha256, &p));
	if (with_digest)
		e->digest_md5 = buf_bytes(&md5), e->digest_sha256 = buf_bytes(&sha256);
	assert_true(store_update(store, put, e, &p));
}

static bool knows(const char *user, const char *words)
{
	auto_value(enrollment) found = {0};
	auto_value(problem) p = {0};
	bool good = password_check(store, user, words, NOW, &found, &p);

	if (!good)
		assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	return good;
}

static void test_password(void **state)
{
	struct enrollment e = { .kind = ENROLLMENT_PASSWORD };

	(void)state;
	make(&e, "Mufasa", WORDS, false);
	assert_true(knows("Mufasa", WORDS));
	assert_false(knows("Mufasa", WORDS " "));
	assert_false(knows("mufasa", WORDS));
	assert_false(knows("Scar", WORDS));
	assert_false(knows("Mufasa", ""));
	e.expires = NOW;
	make(&e, "Mufasa", WORDS, false);
	assert_false(knows("Mufasa", WORDS));
}

/* One of 256 bytes counts; what is longer is not even hashed, and so never counts. */
static void a_password_has_so_many_bytes(void **state)
{
	struct enrollment e = { .kind = ENROLLMENT_PASSWORD };
	char words[258];

	(void)state;
	memset(words, 'x', sizeof(words));
	words[256] = '\0';
	make(&e, "Mufasa", words, false);
	assert_true(knows("Mufasa", words));
	words[256] = 'x';
	words[257] = '\0';
	make(&e, "Mufasa", words, false);
	assert_false(knows("Mufasa", words));
}

static void test_secret(void **state)
{
	struct enrollment e = { .kind = ENROLLMENT_SECRET };
	struct enrollment found = {0};
	auto_value(problem) p = {0};

	(void)state;
	make(&e, "pump", "0123456789abcdefABCDEF", false);
	assert_true(knows("pump", "0123456789abcdefABCDEF"));
	assert_false(knows("pump", "0123456789abcdefABCDEG"));
	assert_true(password_check_secret(store, "pump", "0123456789abcdefABCDEF", NOW, &found, &p));
	enrollment_free(&found);
	assert_false(password_check_secret(store, "pump", "x", NOW, &found, &p) || problem_is_set(&p));
	assert_false(password_check_secret(store, "pomp", "x", NOW, &found, &p) || problem_is_set(&p));
}

/* Made with another implementation: Python's hashlib over RFC 7616's text, for our realm. */
static void test_digest(void **state)
{
	static const struct { bool sha256; const char *response; } rows[] = {
		{ false, "7ba22d81240a055ab22583a7de554b46" }, { true, "ed71d94c1d3b494ae5ffc83c7ec28a41e23b7bc18a3c61849a4795a1f9b321b5" },
	};
	struct enrollment e = { .kind = ENROLLMENT_PASSWORD };

	(void)state;
	make(&e, "Mufasa", WORDS, true);
	for (size_t i = 0; i < array_length(rows); i++) {
		struct password_claim claim = { .user = "Mufasa", .method = "POST", .uri = "/.well-known/est/simpleenroll",
			.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", .nc = "00000001",
			.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", .response = rows[i].response, .sha256 = rows[i].sha256 };
		auto_struct(identity) *identity = NULL;
		auto_value(problem) p = {0};
		if (!identity_digest(store, &claim, NOW, &identity, &p))
			fail_msg("%zu: %s", i, p.detail);
		assert_true(identity_guessable(identity));
		assert_string_equal(identity_text(identity), "user Mufasa");
		claim.method = "GET";
		struct enrollment found;
		assert_false(password_check_digest(store, &claim, NOW, &found, &p));
		claim.method = "POST", claim.user = "Scar";
		assert_false(password_check_digest(store, &claim, NOW, &found, &p));
	}
	make(&e, "Mufasa", WORDS, false); /* no Digest where nobody asked for it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_password, setup, teardown),
		cmocka_unit_test_setup_teardown(a_password_has_so_many_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
