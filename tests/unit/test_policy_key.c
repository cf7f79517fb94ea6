#include "policy/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/core_names.h>

#include "base/digest.h"
#include "policy/key_rsa.h"
#include "policy_make.h"

static const struct {
	const char *kind;
	enum key_algorithm want;
	const char *want_name;
} kinds[] = {
	{ "rsa-2048", KEY_RSA_2048, "rsa-2048" },
	{ "rsa-2056", KEY_RSA_2048, "rsa-2048" },
	{ "rsa-3072", KEY_RSA_3072, "rsa-3072" },
	{ "P-256", KEY_EC_P256, "ec-p256" },
	{ "P-384", KEY_EC_P384, "ec-p384" },
	{ "P-521", KEY_EC_P521, "ec-p521" },
	{ "ed25519", KEY_ED25519, "ed25519" },
};

/* Sound keys of every kind: named, and let pass. */
static void test_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		EVP_PKEY *key = make_key(kinds[i].kind);
		enum key_algorithm algorithm;
		struct problem p = {0};

		assert_true(key_algorithm_of(key, &algorithm, &p));
		assert_int_equal(algorithm, kinds[i].want);
		assert_string_equal(key_algorithm_name(algorithm), kinds[i].want_name);
		if (!key_check(key, NULL, &p))
			fail_msg("%s: %s", kinds[i].kind, p.detail);
	}
}

static EVP_PKEY *rsa_from(const BIGNUM *n, const BIGNUM *e)
{
	auto(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
	auto(OSSL_PARAM) *params = OSSL_PARAM_BLD_to_param(build);
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	assert_true(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	return key;
}

static void refuse_key(EVP_PKEY *key, const char *want)
{
	auto_value(problem) p = {0};

	assert_false(key_check(key, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
	if (!strstr(p.detail, want))
		fail_msg("\"%s\" does not say \"%s\"", p.detail, want);
}

static void test_other_kinds(void **state)
{
	auto(EVP_PKEY) *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	auto(EVP_PKEY) *ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");

	(void)state;
	refuse_key(make_key("P-224"), "secp224r1");
	refuse_key(make_key("secp256k1"), "secp256k1");
	refuse_key(make_key("rsa-1024"), "1024");
	refuse_key(make_key("rsa-2040"), "2040");
	refuse_key(x25519, "X25519");
	refuse_key(ed448, "ED448");
}

static void rsa_refuse(const BIGNUM *n, const char *e_decimal, const char *want)
{
	auto(BIGNUM) *e = NULL;

	assert_true(BN_dec2bn(&e, e_decimal) > 0);
	auto(EVP_PKEY) *key = rsa_from(n, e);
	refuse_key(key, want);
}

static BIGNUM *modulus_of(const char *kind)
{
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(make_key(kind), OSSL_PKEY_PARAM_RSA_N, &n), 1);
	return n;
}

static void test_rsa_exponent(void **state)
{
	auto(BIGNUM) *n = modulus_of("rsa-2048");

	(void)state;
	rsa_refuse(n, "1", "less than 65537");
	rsa_refuse(n, "3", "less than 65537");
	rsa_refuse(n, "65535", "less than 65537");
	rsa_refuse(n, "65536", "even");
	rsa_refuse(n, "65538", "even");
	rsa_refuse(n, "36893488147419103233", "64 bits"); /* 2^65 + 1 */
}

static void test_rsa_size(void **state)
{
	auto(BIGNUM) *n = BN_new();
	auto(BIGNUM) *odd_size = modulus_of("rsa-2052");

	(void)state;
	assert_true(BN_set_bit(n, 4103) && BN_set_bit(n, 0));
	rsa_refuse(n, "65537", "4104");
	rsa_refuse(odd_size, "65537", "2052");
}

static void test_rsa_small_factor(void **state)
{
	static const BN_ULONG factors[] = { 3, 5, 167, 173, 743, 751 };

	(void)state;
	for (size_t i = 0; i < array_length(factors); i++) {
		auto(BIGNUM) *n = BN_new();
		auto(BIGNUM) *e = BN_new();
		auto_value(problem) p = {0};
		const char *want = "small factor ";

		assert_true(BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) && BN_set_word(e, 65537));
		while (BN_mod_word(n, factors[i]) != 0)
			assert_true(BN_add_word(n, 2));
		assert_false(key_rsa_check(n, e, &p));
		/* The least factor is named; there may be a lesser one by chance. */
		assert_non_null(strstr(p.detail, want));
		assert_true(strtoul(strstr(p.detail, want) + strlen(want), NULL, 10) <= factors[i]);
	}
}

static void test_rsa_even_modulus(void **state)
{
	auto(BIGNUM) *n = modulus_of("rsa-2048");
	auto(BIGNUM) *e = BN_new();
	auto_value(problem) p = {0};

	(void)state;
	assert_true(BN_sub_word(n, 1) && BN_set_word(e, 65537));
	assert_false(key_rsa_check(n, e, &p));
	assert_non_null(strstr(p.detail, "even"));
}

/* Two primes that begin alike: what a generator does that takes the next prime after the first
 * (CVE-2022-26320). */
static void test_rsa_fermat(void **state)
{
	auto(BIGNUM) *p1 = BN_new(), *p2 = BN_new(), *n = BN_new();
	auto(BN_CTX) *ctx = BN_CTX_new();

	(void)state;
	do {
		assert_true(BN_generate_prime_ex(p1, 1024, 0, NULL, NULL, NULL) && BN_copy(p2, p1));
		do
			assert_true(BN_add_word(p2, 2));
		while (BN_check_prime(p2, ctx, NULL) != 1);
		assert_true(BN_mul(n, p1, p2, ctx));
	} while (BN_num_bits(n) != 2048);
	rsa_refuse(n, "65537", "Fermat");
	assert_true(BN_sqr(n, p1, ctx));
	rsa_refuse(n, "65537", "Fermat");
}

static bool has_small_factor(const BIGNUM *n)
{
	auto(BIGNUM) *e = BN_new();
	auto_value(problem) p = {0};

	assert_true(BN_set_word(e, 65537));
	return !key_rsa_check(n, e, &p) && strstr(p.detail, "small factor");
}

/* Factors 2^d apart take about 2^(2d - 1027) rounds: 32 of them, and more than anybody has. */
static void test_rsa_fermat_reach(void **state)
{
	auto(BIGNUM) *a = BN_new(), *b = BN_new(), *n = BN_new(), *e = BN_new();
	auto(BN_CTX) *ctx = BN_CTX_new();
	struct { int difference; bool want; } rows[] = { { 516, false }, { 700, true } };

	(void)state;
	assert_true(BN_set_word(e, 65537));
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		do {
			assert_true(BN_generate_prime_ex(a, 1024, 0, NULL, NULL, NULL) && BN_set_bit(a, 1022) && BN_copy(b, a));
			BIGNUM *step = BN_new();
			assert_true(step && BN_set_bit(step, rows[i].difference) && BN_add(b, b, step) && BN_mul(n, a, b, ctx));
			BN_free(step);
		} while (BN_num_bits(n) != 2048 || has_small_factor(n));
		if (key_rsa_check(n, e, &p) != rows[i].want)
			fail_msg("2^%d apart: %s", rows[i].difference, p.detail);
	}
}

/* k * M + (65537^a mod M), M the product of the primes to 701, as the flawed library had it for keys
 * of 2048 bits; the product of two such is again a power of 65537 modulo each prime. */
static BIGNUM *roca_prime(BN_CTX *ctx)
{
	auto(BIGNUM) *m = BN_new(), *a = BN_new(), *power = BN_new(), *generator = BN_new();
	BIGNUM *k = BN_new();

	assert_true(BN_one(m) && BN_set_word(generator, 65537));
	for (BN_ULONG prime = 2; prime <= 701; prime++) {
		bool composite = false;
		for (BN_ULONG d = 2; d * d <= prime; d++)
			composite = composite || prime % d == 0;
		assert_true(composite || BN_mul_word(m, prime));
	}
	do {
		assert_true(BN_rand(a, 200, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_mod_exp(power, generator, a, m, ctx));
		assert_true(BN_rand(k, 1024 - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
		assert_true(BN_mul(k, k, m, ctx) && BN_add(k, k, power));
	} while (BN_num_bits(k) != 1024);
	return k;
}

static void test_rsa_roca(void **state)
{
	auto(BN_CTX) *ctx = BN_CTX_new();
	auto(BIGNUM) *n = BN_new();

	(void)state;
	do { /* of the primes that trial division tries, 709 to 751 can divide it */
		auto(BIGNUM) *p1 = roca_prime(ctx), *p2 = roca_prime(ctx);
		assert_true(BN_mul(n, p1, p2, ctx));
	} while (BN_num_bits(n) != 2048 || has_small_factor(n));
	rsa_refuse(n, "65537", "ROCA");
}

static EVP_PKEY *ed25519_from(const char *hex)
{
	auto_value(buf) raw = {0};

	make_hex(&raw, hex);
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.data, raw.len);
	assert_non_null(key);
	return key;
}

static void test_ed25519_small_order(void **state)
{
	static const char *const points[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	};
	static const char *const long_forms[] = {
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < array_length(points); i++) {
		auto(EVP_PKEY) *key = ed25519_from(points[i]);
		refuse_key(key, "small order");
	}
	for (size_t i = 0; i < array_length(long_forms); i++) {
		auto(EVP_PKEY) *key = ed25519_from(long_forms[i]);
		refuse_key(key, "shortest form");
	}
}

/* The compressed form of a point is a second spelling of the same key. */
static void test_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		auto_value(buf) spki = {0};
		struct problem p = {0};

		assert_true(ossl_public_der(make_key(kinds[i].kind), &spki, &p));
		assert_true(key_form_check(buf_bytes(&spki), kinds[i].want, &p));
	}
	auto(EVP_PKEY) *compressed = EVP_PKEY_dup(make_key("P-256"));
	auto_value(buf) spki = {0};
	auto_value(problem) p = {0};
	assert_true(EVP_PKEY_set_utf8_string_param(compressed, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"));
	assert_true(ossl_public_der(compressed, &spki, &p));
	assert_false(key_form_check(buf_bytes(&spki), KEY_EC_P256, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
}

static void thumbprint_check(EVP_PKEY *key, enum key_algorithm algorithm, const char *jwk, const char *want)
{
	auto_value(buf) spki = {0}, text = {0};
	uint8_t print[SHA256_SIZE], hash[SHA256_SIZE];
	struct problem p = {0};

	assert_true(ossl_public_der(key, &spki, &p) && key_thumbprint(buf_bytes(&spki), algorithm, print, &p));
	digest_sha256(BYTES_STR(jwk), hash);
	assert_memory_equal(print, hash, sizeof(print));
	buf_add_base64url(&text, BYTES(print, sizeof(print)));
	if (want)
		assert_string_equal(buf_text(&text), want);
}

/* RFC 7638, 3.1, and RFC 8037, A.3. */
static void test_thumbprint_vectors(void **state)
{
	static const char n_text[] =
		"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1"
		"L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4"
		"QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"
		"pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
		"Cur-kEgU8awapJzKnqDKgw";
	auto_value(buf) n_bytes = {0}, jwk = {0};
	auto(BIGNUM) *e = BN_new();

	(void)state;
	assert_true(base64url_decode(n_text, strlen(n_text), &n_bytes) && BN_set_word(e, 65537));
	auto(BIGNUM) *n = BN_bin2bn(n_bytes.data, (int)n_bytes.len, NULL);
	auto(EVP_PKEY) *rsa = rsa_from(n, e);
	buf_printf(&jwk, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\"}", n_text);
	thumbprint_check(rsa, KEY_RSA_2048, buf_text(&jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	auto(EVP_PKEY) *edwards = ed25519_from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	thumbprint_check(edwards, KEY_ED25519,
	                 "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	                 "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void test_thumbprint_curves(void **state)
{
	static const struct {
		const char *curve;
		enum key_algorithm algorithm;
		int field;
	} rows[] = { { "P-256", KEY_EC_P256, 32 }, { "P-384", KEY_EC_P384, 48 }, { "P-521", KEY_EC_P521, 66 } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(BIGNUM) *x = NULL, *y = NULL;
		auto_value(buf) jwk = {0};
		uint8_t room[66];
		EVP_PKEY *key = make_key(rows[i].curve);

		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1);
		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1);
		buf_printf(&jwk, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", rows[i].curve);
		assert_true(BN_bn2binpad(x, room, rows[i].field) == rows[i].field);
		buf_add_base64url(&jwk, BYTES(room, rows[i].field));
		buf_add_str(&jwk, "\",\"y\":\"");
		assert_true(BN_bn2binpad(y, room, rows[i].field) == rows[i].field);
		buf_add_base64url(&jwk, BYTES(room, rows[i].field));
		buf_add_str(&jwk, "\"}");
		thumbprint_check(key, rows[i].algorithm, buf_text(&jwk), NULL);
	}
	uint8_t print[SHA256_SIZE];
	auto_value(problem) p = {0};
	assert_false(key_thumbprint(BYTES("\x30\x00", 2), KEY_EC_P256, print, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
}

static const struct {
	enum key_algorithm algorithm;
	unsigned want, want_not;
} usages[] = {
	{ KEY_RSA_2048, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, KU_KEY_AGREEMENT | KU_KEY_CERT_SIGN | KU_CRL_SIGN },
	{ KEY_EC_P256, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT, KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_CERT_SIGN },
	{ KEY_ED25519, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION, KU_KEY_AGREEMENT | KU_KEY_ENCIPHERMENT | KU_CRL_SIGN },
};

static void test_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(usages); i++) {
		unsigned usage = key_algorithm_usage(usages[i].algorithm);
		assert_int_equal(usage & usages[i].want, usages[i].want);
		assert_int_equal(usage & usages[i].want_not, 0);
	}
}

/* Writes text into a new file and loads it as the only one. */
static bool blocklist_of(const char *text, struct key_blocklist **ret, struct problem *p)
{
	char path[] = "/tmp/test_policy_key.XXXXXX";
	int fd = mkstemp(path);
	auto_value(strings) paths = {0};

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
	assert_true(strings_add(&paths, path));
	bool loaded = key_blocklist_load(&paths, ret, p);
	unlink(path);
	return loaded;
}

static void test_blocklist(void **state)
{
	auto_value(buf) spki = {0}, text = {0};
	uint8_t hash[SHA256_SIZE], other[SHA256_SIZE] = {0};
	auto_value(problem) p = {0};
	struct key_blocklist *list;

	(void)state;
	assert_true(ossl_public_der(make_key("P-256"), &spki, &p));
	digest_sha256(buf_bytes(&spki), hash);
	buf_add_str(&text, "# weak keys\n\nffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\r\n  ");
	buf_add_hex(&text, BYTES(hash, sizeof(hash)));
	buf_add_str(&text, "\t# this one\n0000000000000000000000000000000000000000000000000000000000000001");
	assert_true(blocklist_of(buf_text(&text), &list, &p));
	assert_true(key_blocklist_has(list, hash));
	assert_false(key_blocklist_has(list, other));
	other[31] = 1;
	assert_true(key_blocklist_has(list, other));
	assert_false(key_check(make_key("P-256"), list, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
	problem_done(&p);
	assert_true(key_check(make_key("P-384"), list, &p));
	key_blocklist_free(list);
	assert_false(key_blocklist_has(NULL, hash));
}

static void test_blocklist_malformed(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "# one\nabc\n", ":2: " },
		{ "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00\n", ":1: " },
		{ "gfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n", ":1: " },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct key_blocklist *list;
		auto_value(problem) p = {0};
		assert_false(blocklist_of(rows[i].text, &list, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		assert_non_null(strstr(p.detail, rows[i].want));
	}
	struct key_blocklist *list;
	auto_value(problem) p = {0};
	auto_value(strings) paths = {0};
	assert_true(strings_add(&paths, "/nonexistent/list"));
	assert_false(key_blocklist_load(&paths, &list, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
}

static void test_blocklist_empty(void **state)
{
	struct key_blocklist *list;
	struct problem p = {0};
	uint8_t hash[SHA256_SIZE] = {0};

	(void)state;
	assert_true(blocklist_of("# none\n", &list, &p));
	assert_false(key_blocklist_has(list, hash));
	key_blocklist_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_rsa_exponent),
		cmocka_unit_test(test_rsa_size),
		cmocka_unit_test(test_rsa_small_factor),
		cmocka_unit_test(test_rsa_even_modulus),
		cmocka_unit_test(test_rsa_fermat),
		cmocka_unit_test(test_rsa_fermat_reach),
		cmocka_unit_test(test_rsa_roca),
		cmocka_unit_test(test_ed25519_small_order),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_thumbprint_vectors),
		cmocka_unit_test(test_thumbprint_curves),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_blocklist),
		cmocka_unit_test(test_blocklist_malformed),
		cmocka_unit_test(test_blocklist_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
