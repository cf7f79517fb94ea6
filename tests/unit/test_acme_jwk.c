#include "tests/unit/jws_maker.h"

#include "acme/jwk.h"

static bool read_text(const char *text, struct jwk *ret, struct problem *p)
{
	auto_struct(json) *json = NULL;
	return json_parse(BYTES_STR(text), &json, p) && jwk_read(json, ret, p);
}

static const struct {
	const char *name, *text, *want;
} thumbprints[] = {
	{ "RFC 7638, 3.1",
	  "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
	  "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
	  "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\","
	  "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
	  "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" },
	{ "RFC 8037, A.3", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	  "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" },
};

static void thumbprints_are_the_rfcs(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(thumbprints); i++) {
		auto_value(jwk) jwk = { 0 };
		auto_value(problem) p = { 0 };
		auto_value(buf) text = { 0 };
		if (!read_text(thumbprints[i].text, &jwk, &p))
			fail_msg("%s: %s", thumbprints[i].name, p.detail);
		buf_add_base64url(&text, BYTES(jwk.thumbprint, sizeof jwk.thumbprint));
		assert_string_equal(buf_text(&text), thumbprints[i].want);
	}
}

/* The SubjectPublicKeyInfo is the very key, and the text the canonical JWK of it. */
static void keys_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(maker_algorithms); i++) {
		auto(EVP_PKEY) *key = maker_key(maker_algorithms[i].name);
		auto(EVP_PKEY) *back = NULL;
		auto_value(buf) text = { 0 }, padded = { 0 };
		auto_value(jwk) jwk = { 0 }, again = { 0 };
		auto_value(problem) p = { 0 };
		maker_jwk(&text, key, maker_algorithms[i].name);
		assert_true(read_text(buf_text(&text), &jwk, &p));
		assert_string_equal(buf_text(&jwk.text), buf_text(&text));
		assert_int_equal(EVP_PKEY_eq(jwk.key, key), 1);
		assert_true(ossl_public_key(buf_bytes(&jwk.spki), &back, &p));
		assert_int_equal(EVP_PKEY_eq(back, key), 1);
		/* Other members and another order are another spelling of the same key. */
		buf_add_str(&padded, "{ \"use\":\"sig\", \"kid\":\"x\", \"zz\":[1],");
		buf_add(&padded, text.data + 1, text.len - 1);
		assert_true(read_text(buf_text(&padded), &again, &p));
		assert_memory_equal(again.thumbprint, jwk.thumbprint, sizeof jwk.thumbprint);
	}
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC(more) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"" more "}"
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *text;
	enum problem_kind want;
} wrong[] = {
	{ "[]", PROBLEM_MALFORMED },
	{ "{}", PROBLEM_MALFORMED },
	{ "{\"kty\":7}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"EC\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":7,\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"" Y "\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":[1],\"y\":\"" Y "\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" X "A\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X "\"}", PROBLEM_BAD_PUBLIC_KEY },     /* not on the curve */
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"P-224\",\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"y\":\"" Y "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ EC(",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""), PROBLEM_MALFORMED },
	{ EC(",\"d\":null"), PROBLEM_MALFORMED },
	{ EC(",\"k\":\"AAAA\""), PROBLEM_MALFORMED },
	{ EC(",\"use\":\"enc\""), PROBLEM_MALFORMED },
	{ EC(",\"use\":1"), PROBLEM_MALFORMED },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"oct\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" X "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"OKP\",\"x\":\"" X "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"RSA\",\"n\":\"" X "\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"\"}", PROBLEM_MALFORMED },
	{ "{\"kty\":\"RSA\",\"n\":\"" ZEROS "\",\"e\":\"AQAB\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"AAEAAQ\"}", PROBLEM_BAD_PUBLIC_KEY },                  /* 00 01 00 01 */
	{ "{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"" X "\"}", PROBLEM_BAD_PUBLIC_KEY },
	{ "{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"AQAB\",\"p\":\"AQAB\"}", PROBLEM_MALFORMED },
};

static void wrong_keys_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(wrong); i++) {
		auto_value(jwk) jwk = { 0 };
		auto_value(problem) p = { 0 };
		if (read_text(wrong[i].text, &jwk, &p) || p.kind != wrong[i].want)
			fail_msg("%s: %s, %s", wrong[i].text, problem_kind_name(p.kind), p.detail);
		assert_null(jwk.key);
	}
}

/* A byte of x given to y: the same octets in all, but another text and so another thumbprint. */
static void a_key_has_one_spelling(void **state)
{
	auto_value(buf) octets = { 0 }, text = { 0 };
	auto_value(jwk) jwk = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(base64url_decode(X, strlen(X), &octets) && base64url_decode(Y, strlen(Y), &octets));
	for (size_t split = 30; split <= 34; split++) {
		buf_clear(&text);
		buf_add_str(&text, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
		buf_add_base64url(&text, BYTES(octets.data, split));
		buf_add_str(&text, "\",\"y\":\"");
		buf_add_base64url(&text, BYTES(octets.data + split, 64 - split));
		buf_add_str(&text, "\"}");
		assert_int_equal(read_text(buf_text(&text), &jwk, &p), split == 32);
		if (split != 32)
			assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
	}
}

static void a_huge_modulus_is_refused(void **state)
{
	auto_value(buf) text = { 0 };
	auto_value(jwk) jwk = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	buf_add_str(&text, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
	for (int i = 0; i < 2000; i++)
		buf_add_str(&text, "____");
	buf_add_str(&text, "\"}");
	assert_false(read_text(buf_text(&text), &jwk, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thumbprints_are_the_rfcs),
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(a_key_has_one_spelling),
		cmocka_unit_test(a_huge_modulus_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
