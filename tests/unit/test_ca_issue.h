/* A CA in the scratch folder, keys to certify, and approvals for tests of ca/. */
#pragma once

#include <openssl/core_names.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "ca/ca.h"
#include "tests/unit/test_ca_folder.h"

/* The gate's own maker. It is in no header; tests of what comes after the gate declare it. */
bool approval_make(const struct approval_facts *facts, struct approval **ret, struct problem *p) must_use;

enum { TEST_DAY = 24 * 3600, TEST_YEAR = 365 * TEST_DAY };
static const struct bytes test_passphrase = { (const uint8_t *)"correct horse", 13 };
#define TEST_BASE "http://ca.example:8080"

struct test_key {
	EVP_PKEY *key;
	struct buf spki;
	uint8_t hash[SHA256_SIZE];
};
static struct test_key test_keys[KEY_ALGORITHM_MAX];

/* Nobody signs with these keys, so a modulus need only look like one: making primes takes seconds. */
static inline EVP_PKEY *test_rsa(unsigned bits)
{
	uint8_t modulus[512], exponent[3] = { 1, 0, 1 };
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	auto_value(problem) p = { 0 };
	EVP_PKEY *key = NULL;

	assert_true(random_bytes(modulus, bits / 8, &p));
	modulus[0] |= 1;
	modulus[bits / 8 - 1] |= 0x80; /* little-endian, as every machine that we build for */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, bits / 8),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, sizeof(exponent)),
		OSSL_PARAM_construct_end(),
	};
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	return key;
}

static inline EVP_PKEY *test_key_make(enum key_algorithm algorithm)
{
	switch (algorithm) {
	case KEY_RSA_2048: return test_rsa(2048);
	case KEY_RSA_3072: return test_rsa(3072);
	case KEY_RSA_4096: return test_rsa(4096);
	case KEY_EC_P256: return EVP_EC_gen("P-256");
	case KEY_EC_P384: return EVP_EC_gen("P-384");
	case KEY_EC_P521: return EVP_EC_gen("P-521");
	default: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}

static inline void test_keys_make(void)
{
	for (enum key_algorithm i = 0; i < KEY_ALGORITHM_MAX; i++) {
		struct test_key *k = &test_keys[i];
		auto_value(problem) p = { 0 };
		k->key = test_key_make(i);
		assert_non_null(k->key);
		assert_true(ossl_public_der(k->key, &k->spki, &p));
		digest_sha256(buf_bytes(&k->spki), k->hash);
	}
}

static inline void test_keys_free(void)
{
	for (enum key_algorithm i = 0; i < KEY_ALGORITHM_MAX; i++) {
		EVP_PKEY_free(test_keys[i].key);
		buf_free(&test_keys[i].spki);
	}
}

/* A set of names from "dns:a", "ip:192.0.2.1", ... up to NULL. */
static inline struct identifiers test_names(const char *const *list)
{
	struct identifiers names = { 0 };

	for (; *list; list++) {
		auto_value(problem) p = { 0 };
		struct identifier name;
		char type[16] = "";
		size_t len = strcspn(*list, ":");
		memcpy(type, *list, len);
		assert_true(identifier_parse(type, *list + len + 1, &name, &p));
		assert_true(identifiers_add(&names, &name, &p));
	}
	return names;
}

static inline unsigned test_key_usage(enum key_algorithm algorithm)
{
	return KU_DIGITAL_SIGNATURE | (algorithm <= KEY_RSA_4096 ? KU_KEY_ENCIPHERMENT : 0);
}

/* Facts as the gate makes them for a TLS server; the caller changes what it is about. */
static inline struct approval_facts test_facts(enum key_algorithm algorithm, const struct identifiers *names,
                                               const struct strings *usages)
{
	const struct test_key *k = &test_keys[algorithm];
	struct approval_facts facts = {
		.spki = buf_bytes(&k->spki), .key = k->key, .algorithm = algorithm, .names = names,
		.profile = "tls-server", .issuer = "", .not_before = clock_now() - 60, .not_after = clock_now() + 90 * TEST_DAY - 1,
		.key_usage = test_key_usage(algorithm), .extended_key_usage = usages, .method = "acme",
		.account = "AAAAAAAAAAAAAAAAAAAAAA", .order = "BBBBBBBBBBBBBBBBBBBBBB",
	};

	memcpy(facts.key_hash, k->hash, sizeof(facts.key_hash));
	return facts;
}

static inline bool test_issue(struct ca *ca, const struct approval_facts *facts, struct certificate *ret, struct problem *p)
{
	struct approval *approval = NULL;

	assert_true(approval_make(facts, &approval, p));
	bool issued = ca_issue(ca, &approval, ret, p);
	assert_null(approval);
	return issued;
}

static inline X509 *test_parse(struct bytes der)
{
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	assert_true(certificate && at == der.data + der.len);
	return certificate;
}

static inline void test_create(const char *where, enum keyfile_kind root, enum keyfile_kind issuing)
{
	auto_value(problem) p = { 0 };
	const struct ca_create_options options = {
		.folder = where, .organization = "Example", .root_name = "Example Root", .issuing_name = "Example Issuing",
		.root_key = root, .issuing_key = issuing, .root_lifetime = 60LL * TEST_YEAR, .issuing_lifetime = 50LL * TEST_YEAR,
	};

	assert_true(ca_create(&options, test_passphrase, &p));
}

static inline struct ca *test_open(const char *where, const char *base)
{
	const struct ca_options options = { .folder = where, .urls.base = base };
	auto_value(problem) p = { 0 };
	struct ca *ca = NULL;

	bool opened = ca_open(&options, test_passphrase, &ca, &p);
	if (!opened)
		print_error("%s %s\n", p.detail, p.cause);
	assert_true(opened);
	return ca;
}
