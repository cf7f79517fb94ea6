#include "tests/unit/jws_maker.h"

#include <stdio.h>

#include "acme/key_cache.h"

struct person {
	EVP_PKEY *key;
	struct buf spki;
	uint8_t thumbprint[SHA256_SIZE];
	struct account account;
};

static void make_person(struct person *who, unsigned id)
{
	auto_value(problem) p = { 0 };
	*who = (struct person){ .key = maker_key("ES256") };
	assert_true(ossl_public_der(who->key, &who->spki, &p));
	digest_sha256(buf_bytes(&who->spki), who->thumbprint);
	snprintf(who->account.id, sizeof who->account.id, "%021uA", id);
	who->account.key = buf_bytes(&who->spki);
	who->account.thumbprint = BYTES(who->thumbprint, sizeof who->thumbprint);
}

static void free_person(struct person *who)
{
	EVP_PKEY_free(who->key);
	buf_free(&who->spki);
}
#define auto_person __attribute__((cleanup(free_person))) struct person

static struct jws_key *get(struct key_cache *cache, const struct account *account)
{
	auto_value(problem) p = { 0 };
	struct jws_key *key = NULL;
	if (!key_cache_get(cache, account, &key, &p))
		fail_msg("%s", p.detail);
	return key;
}

static struct key_cache *open_cache(void)
{
	auto_value(problem) p = { 0 };
	struct key_cache *cache = NULL;
	assert_true(key_cache_open(&cache, &p));
	return cache;
}

static void the_second_time_it_is_the_same_object(void **state)
{
	auto_struct(key_cache) *cache = open_cache();
	auto_person who;

	(void)state;
	make_person(&who, 1);
	auto_struct(jws_key) *first = get(cache, &who.account);
	auto_struct(jws_key) *second = get(cache, &who.account);
	assert_int_equal(EVP_PKEY_eq(jws_key_public(first), who.key), 1);
	assert_ptr_equal(first, second);
}

/* After a key change the old key is never shown again, with no word to the cache. */
static void a_changed_key_is_seen(void **state)
{
	auto_struct(key_cache) *cache = open_cache();
	auto_person old, new;

	(void)state;
	make_person(&old, 1);
	make_person(&new, 1);
	for (int i = 0; i < 2; i++) {
		auto_struct(jws_key) *a = get(cache, &old.account);
		auto_struct(jws_key) *b = get(cache, &new.account);
		assert_int_equal(EVP_PKEY_eq(jws_key_public(a), old.key), 1);
		assert_int_equal(EVP_PKEY_eq(jws_key_public(b), new.key), 1);
	}
}

/* The key of one account is not another's, whatever its thumbprint claims. */
static void entries_are_by_account(void **state)
{
	auto_struct(key_cache) *cache = open_cache();
	auto_person one, two;

	(void)state;
	make_person(&one, 1);
	make_person(&two, 2);
	two.account.thumbprint = one.account.thumbprint;
	auto_struct(jws_key) *a = get(cache, &one.account);
	auto_struct(jws_key) *b = get(cache, &two.account);
	assert_int_equal(EVP_PKEY_eq(jws_key_public(a), one.key), 1);
	assert_int_equal(EVP_PKEY_eq(jws_key_public(b), two.key), 1);
}

/* More accounts than there is room for: all are answered right. */
static void it_is_bounded(void **state)
{
	auto_struct(key_cache) *cache = open_cache();
	auto_person who;

	(void)state;
	make_person(&who, 0);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(who.account.id, sizeof who.account.id, "%021uA", i);
		auto_struct(jws_key) *key = get(cache, &who.account);
		assert_int_equal(EVP_PKEY_eq(jws_key_public(key), who.key), 1);
	}
}

static void a_broken_record_is_refused(void **state)
{
	auto_struct(key_cache) *cache = open_cache();
	auto_value(problem) p = { 0 };
	auto_person who;
	struct jws_key *key = NULL;

	(void)state;
	make_person(&who, 1);
	who.account.key.len--;
	assert_false(key_cache_get(cache, &who.account, &key, &p));
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_time_it_is_the_same_object),
		cmocka_unit_test(a_changed_key_is_seen),
		cmocka_unit_test(entries_are_by_account),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(a_broken_record_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
