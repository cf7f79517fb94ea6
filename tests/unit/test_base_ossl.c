#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/base64.h"
#include "base/ossl.h"

static EVP_PKEY *generate(const char *type)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_generate(ctx, &key);
	return key;
}

static EVP_PKEY *key_make(const char *type)
{
	bool curve = str_starts(type, "P-") || str_starts(type, "secp");
	EVP_PKEY *key = curve ? EVP_EC_gen(type) : generate(type);

	assert_non_null(key);
	return key;
}

static void der_of(EVP_PKEY *key, struct buf *ret)
{
	auto_value(problem) p = {0};

	assert_true(ossl_public_der(key, ret, &p));
}

/* From a block of exactly that length, so that a read past the end is seen by ASan. */
static EVP_PKEY *parse(const struct buf *der)
{
	auto_free uint8_t *copy = malloc(der->len > 0 ? der->len : 1);
	auto_value(problem) p = {0};
	EVP_PKEY *key = NULL;

	memcpy(copy, buf_text(der), der->len);
	if (ossl_public_key(BYTES(copy, der->len), &key, &p))
		assert_false(problem_is_set(&p));
	else
		assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
	assert_int_equal(ERR_peek_error(), 0);
	return key;
}

static void assert_refused(const struct buf *der)
{
	auto(EVP_PKEY) *key = parse(der);

	assert_null(key);
}

static void assert_verifies(EVP_PKEY *private, EVP_PKEY *public, const char *digest)
{
	auto(EVP_MD_CTX) *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	uint8_t text[] = "text", signature[512];
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit_ex(sign, NULL, digest, NULL, NULL, private, NULL), 1);
	assert_int_equal(EVP_DigestSign(sign, signature, &len, text, sizeof(text)), 1);
	assert_int_equal(EVP_DigestVerifyInit_ex(verify, NULL, digest, NULL, NULL, public, NULL), 1);
	assert_int_equal(EVP_DigestVerify(verify, signature, len, text, sizeof(text)), 1);
	text[0] ^= 1;
	auto(EVP_MD_CTX) *other = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit_ex(other, NULL, digest, NULL, NULL, public, NULL), 1);
	assert_int_not_equal(EVP_DigestVerify(other, signature, len, text, sizeof(text)), 1);
	ERR_clear_error();
}

/* Each kind of key comes back equal, verifies, and gives the same DER again. */
static void public_keys_come_back(void **state)
{
	static const struct {
		const char *type, *format, *digest;
	} rows[] = {
		{ "P-256", "uncompressed", "SHA256" }, { "P-256", "compressed", "SHA256" },
		{ "P-384", "uncompressed", "SHA384" }, { "P-384", "compressed", "SHA384" },
		{ "P-521", "uncompressed", "SHA512" }, { "P-521", "compressed", "SHA512" },
		{ "RSA", NULL, "SHA256" }, { "RSA-PSS", NULL, "SHA256" },
		{ "ED25519", NULL, NULL }, { "ED448", NULL, NULL }, { "secp256k1", "uncompressed", "SHA256" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(EVP_PKEY) *key = key_make(rows[i].type);
		auto_value(buf) der = {0}, again = {0};
		if (rows[i].format)
			assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", rows[i].format), 1);
		der_of(key, &der);
		auto(EVP_PKEY) *public = parse(&der);
		assert_non_null(public);
		assert_int_equal(EVP_PKEY_eq(key, public), 1);
		der_of(public, &again);
		assert_true(bytes_equal(buf_bytes(&der), buf_bytes(&again)));
		assert_verifies(key, public, rows[i].digest);
	}
}

static void each_cut_and_each_extra_byte_is_refused(void **state)
{
	static const char *const types[] = { "P-256", "RSA", "ED25519", "secp256k1" };

	(void)state;
	for (size_t i = 0; i < array_length(types); i++) {
		auto(EVP_PKEY) *key = key_make(types[i]);
		auto_value(buf) der = {0};
		der_of(key, &der);
		buf_add_char(&der, '\0');
		assert_refused(&der);
		for (size_t len = der.len - 1; len-- > 0;) {
			buf_shorten(&der, len);
			assert_refused(&der);
		}
	}
}

enum { POINT_AT = 26, P256_LENGTH = 91 };

static void p256_der(struct buf *ret)
{
	auto(EVP_PKEY) *key = key_make("P-256");

	der_of(key, ret);
	assert_int_equal(ret->len, P256_LENGTH);
	assert_int_equal(ret->data[POINT_AT], 4);
}

/* CVE-2020-0601's kind and the classic invalid-curve attack: nothing off the named curve is a key. */
static void points_are_on_their_curve(void **state)
{
	(void)state;
	for (size_t at = POINT_AT + 1; at < P256_LENGTH; at += 7) {
		auto_value(buf) der = {0};
		p256_der(&der);
		der.data[at] ^= 1;
		assert_refused(&der);
	}
	auto_value(buf) der = {0};
	p256_der(&der);
	memset(der.data + POINT_AT + 1, 0, 64); /* (0,0) */
	assert_refused(&der);
	memset(der.data + POINT_AT + 1, 0xff, 64); /* beyond the field */
	assert_refused(&der);
}

static void compressed_points_are_on_their_curve(void **state)
{
	auto(EVP_PKEY) *key = key_make("P-256");
	auto_value(buf) der = {0};
	int refused = 0;

	(void)state;
	EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed");
	der_of(key, &der);
	for (int i = 0; i < 40; i++) { /* half of all x have no point */
		der.data[der.len - 1] = (uint8_t)i;
		auto(EVP_PKEY) *public = parse(&der);
		refused += public == NULL;
	}
	assert_in_range(refused, 5, 35);
}

/* RFC 5480, 2.2: hybrid points and infinity are no keys. */
static void other_point_forms_are_refused(void **state)
{
	static const uint8_t forms[] = { 0, 1, 2, 3, 5, 6, 7, 0xff };
	auto_value(buf) der = {0};

	(void)state;
	p256_der(&der);
	for (size_t i = 0; i < sizeof(forms); i++) {
		der.data[POINT_AT] = forms[i];
		assert_refused(&der);
	}
}

static void p256_header_is_exact(void **state)
{
	auto_value(buf) good = {0};

	(void)state;
	p256_der(&good);
	for (size_t at = 0; at < POINT_AT; at++) {
		for (int bit = 0; bit < 8; bit++) {
			auto_value(buf) der = {0};
			buf_add(&der, good.data, good.len);
			der.data[at] ^= (uint8_t)(1 << bit);
			assert_refused(&der);
		}
	}
}

static void from_hex(struct buf *ret, const char *hex)
{
	assert_true(hex_decode(hex, strlen(hex), ret));
}

/* One element around what is there already. */
static void wrap(struct buf *b, uint8_t tag, const char *before)
{
	auto_value(buf) inner = {0}, head = {0};

	from_hex(&inner, before);
	buf_add(&inner, b->data, b->len);
	buf_add_char(&head, (char)tag);
	if (inner.len >= 0x80)
		buf_printf(&head, "\x82%c%c", (int)(inner.len >> 8), (int)(inner.len & 0xff));
	else
		buf_add_char(&head, (char)inner.len);
	buf_clear(b);
	buf_add(b, head.data, head.len);
	buf_add(b, inner.data, inner.len);
}

#define RSA_ALGORITHM "300d06092a864886f70d0101010500"

static void rsa_der(struct buf *b, const char *algorithm, const char *integers)
{
	from_hex(b, integers);
	wrap(b, 0x30, "");
	wrap(b, 0x03, "00");
	wrap(b, 0x30, algorithm);
}

/* A modulus of 520 bits, beginning with 0x80 after its zero. */
#define N64 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20" \
            "2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define N "02420080" N64 "01"
#define E "0203010001"

static void rsa_integers_are_exact(void **state)
{
	static const struct {
		const char *algorithm, *integers;
		bool want;
	} rows[] = {
		{ RSA_ALGORITHM, N E, true },
		{ RSA_ALGORITHM, N "020103", true },
		{ "300b06092a864886f70d010101", N E, false },                   /* no NULL */
		{ "300f06092a864886f70d01010105000500", N E, false },
		{ "300d06092a864886f70d0101010400", N E, false },
		{ RSA_ALGORITHM, N, false },
		{ RSA_ALGORITHM, N E "020103", false },
		{ RSA_ALGORITHM, "0200" E, false },
		{ RSA_ALGORITHM, "020100" E, false },
		{ RSA_ALGORITHM, "024080" N64 E, false },                       /* negative */
		{ RSA_ALGORITHM, "0243000080" N64 "01" E, false },              /* not the shortest */
		{ RSA_ALGORITHM, "0242007f" N64 "01" E, false },
		{ RSA_ALGORITHM, "02420080" N64 "02" E, false },                /* even */
		{ RSA_ALGORITHM, N "020102", false },
		{ RSA_ALGORITHM, N "0204ff010001", false },
		{ RSA_ALGORITHM, "0281420080" N64 "01" E, false },              /* length not the shortest */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		rsa_der(&der, rows[i].algorithm, rows[i].integers);
		auto(EVP_PKEY) *key = parse(&der);
		assert_int_equal(key != NULL, rows[i].want);
	}
}

static void rsa_is_bounded(void **state)
{
	(void)state;
	for (size_t bytes = 2047; bytes <= 2049; bytes++) {
		auto_value(buf) der = {0};
		buf_printf(&der, "\x02\x82%c%c%c", (int)((bytes + 1) >> 8), (int)((bytes + 1) & 0xff), 0);
		for (size_t i = 0; i < bytes; i++)
			buf_add_char(&der, '\xff');
		from_hex(&der, E);
		wrap(&der, 0x30, "");
		wrap(&der, 0x03, "00");
		wrap(&der, 0x30, RSA_ALGORITHM);
		auto(EVP_PKEY) *key = parse(&der);
		assert_int_equal(key != NULL, bytes <= 2048);
	}
}

/* RFC 5480, 2.1.1: a curve spelt out, even P-256 itself, and an implicit one. */
static void curves_are_named(void **state)
{
	auto(EVP_PKEY) *key = key_make("P-256");
	auto_value(buf) explicit = {0}, implicit = {0};

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
	der_of(key, &explicit);
	assert_true(explicit.len > 200);
	assert_refused(&explicit);
	from_hex(&implicit, "03020004");
	wrap(&implicit, 0x30, "300b06072a8648ce3d02010500");
	assert_refused(&implicit);
}

/* X.690, 10.1: of the forms of a length only the shortest is DER. */
static void lengths_are_the_shortest(void **state)
{
	static const struct {
		const char *head;
		bool want;
	} rows[] = { { "30819b", true }, { "3082009b", false }, { "308300009b", false }, { "30840000009b", false } };
	auto(EVP_PKEY) *key = key_make("P-521");
	auto_value(buf) good = {0};

	(void)state;
	der_of(key, &good);
	assert_int_equal(good.len, 158);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		from_hex(&der, rows[i].head);
		buf_add(&der, good.data + 3, good.len - 3);
		auto(EVP_PKEY) *public = parse(&der);
		assert_int_equal(public != NULL, rows[i].want);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const rows[] = {
		"", "00", "30", "3000", "3080", "30800000", "30ff", "3084ffffffff", "30023000", "300430003000",
		"300530000301", "3006300003020000", "30093007060160030200ff", "300c300506036b6570030100",
		"302a300506036b6570032101d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		from_hex(&der, rows[i]);
		assert_refused(&der);
	}
}

static void pem_has_lines_of_64(void **state)
{
	auto_value(buf) pem = {0};
	uint8_t der[49] = {0};

	(void)state;
	ossl_pem("X", BYTES(der, 49), &pem);
	assert_string_equal(buf_text(&pem),
		"-----BEGIN X-----\n"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
		"AA==\n"
		"-----END X-----\n");
	buf_clear(&pem);
	ossl_pem("X", BYTES(der, 48), &pem);
	assert_int_equal(pem.len, 18 + 65 + 16);
}

static void pem_comes_back(void **state)
{
	(void)state;
	for (size_t len = 1; len < 200; len++) {
		auto_value(buf) pem = {0}, back = {0};
		auto_value(problem) p = {0};
		uint8_t der[200];
		memset(der, (int)len, len);
		buf_add_str(&pem, "Text before.\n");
		ossl_pem("PUBLIC KEY", BYTES(der, 1), &pem);
		ossl_pem("CERTIFICATE", BYTES(der, len), &pem);
		ossl_pem("CERTIFICATE", BYTES(der, 1), &pem);
		assert_true(ossl_from_pem("CERTIFICATE", buf_bytes(&pem), &back, &p));
		assert_true(bytes_equal(buf_bytes(&back), BYTES(der, len)));
	}
}

static void what_is_no_pem(void **state)
{
	static const char *const rows[] = {
		"", "AAAA", "-----BEGIN X-----\nAAAA\n", "-----BEGIN Y-----\nAAAA\n-----END Y-----\n",
		"-----END X-----\n-----BEGIN X-----\nAAAA\n", "-----BEGIN X-----\nAAA\n-----END X-----\n",
		"-----BEGIN X-----\nA-AA\n-----END X-----\n", "-----BEGIN X-----\nAAAA\n-----END Y-----\n",
		"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n",
		"-----BEGIN X-----\n-----BEGIN X-----\nAAAA\n-----END X-----\n",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) ret = {0};
		auto_value(problem) p = {0};
		assert_false(ossl_from_pem("X", BYTES_STR(rows[i]), &ret, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		assert_int_equal(ret.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_keys_come_back),
		cmocka_unit_test(each_cut_and_each_extra_byte_is_refused),
		cmocka_unit_test(points_are_on_their_curve),
		cmocka_unit_test(compressed_points_are_on_their_curve),
		cmocka_unit_test(other_point_forms_are_refused),
		cmocka_unit_test(p256_header_is_exact),
		cmocka_unit_test(rsa_integers_are_exact),
		cmocka_unit_test(rsa_is_bounded),
		cmocka_unit_test(curves_are_named),
		cmocka_unit_test(lengths_are_the_shortest),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(pem_has_lines_of_64),
		cmocka_unit_test(pem_comes_back),
		cmocka_unit_test(what_is_no_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
