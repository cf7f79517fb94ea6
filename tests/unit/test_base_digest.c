#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include "base/digest.h"

static void assert_hex(const uint8_t *data, size_t len, const char *want)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, BYTES(data, len));
	assert_string_equal(buf_text(&hex), want);
}

/* FIPS 180 examples. */
static void sha_of_known_texts(void **state)
{
	static const struct {
		const char *text, *want_sha1, *want_sha256;
	} rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t out[SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		digest_sha1(BYTES_STR(rows[i].text), out);
		assert_hex(out, 20, rows[i].want_sha1);
		digest_sha256(BYTES_STR(rows[i].text), out);
		assert_hex(out, SHA256_SIZE, rows[i].want_sha256);
	}
	digest_sha1(BYTES(NULL, 0), out);
	assert_hex(out, 20, rows[0].want_sha1);
}

static const char long_key[] = { [0 ... 130] = '\xaa' };

/* RFC 4231, 4.2, 4.3 and 4.7, and the empty key. */
static const struct {
	struct bytes key;
	const char *text, *want[3];
} hmac_rows[] = {
	{ BYTES("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20), "Hi There", {
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
		"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
		"daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" } },
	{ BYTES("Jefe", 4), "what do ya want for nothing?", {
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
		"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" } },
	{ BYTES(long_key, sizeof(long_key)), "Test Using Larger Than Block-Size Key - Hash Key First", {
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
		"80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
		"6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" } },
	{ { NULL, 0 }, "", {
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
		"6c1f2ee938fad2e24bd91298474382ca218c75db3d83e114b3d4367776d14d3551289e75e8209cd4b792302840234adc",
		"b936cee86c9f87aa5d3c6f2e84cb5a4239a5fe50480a6ec66b70ab5b1f4ac673"
		"0c6c515421b327ec1d69402e53dfb49ad7381eb067b338fd7b0cb22247225d47" } },
};

static void hmac_vectors_hold(void **state)
{
	static const int bits[] = { 256, 384, 512 };
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < array_length(hmac_rows); i++) {
		for (size_t j = 0; j < array_length(bits); j++) {
			digest_hmac(bits[j], hmac_rows[i].key, BYTES_STR(hmac_rows[i].text), out);
			assert_hex(out, (size_t)bits[j] / 8, hmac_rows[i].want[j]);
		}
	}
}

static void *hash_much(void *failed)
{
	uint8_t out[SHA256_SIZE], want[SHA256_SIZE];

	digest_hmac(256, hmac_rows[1].key, BYTES_STR(hmac_rows[1].text), want);
	for (int i = 0; i < 200; i++) {
		digest_hmac(256, hmac_rows[1].key, BYTES_STR(hmac_rows[1].text), out);
		if (memcmp(out, want, sizeof(out)) != 0)
			*(bool *)failed = true;
		digest_sha256(BYTES_STR("abc"), out);
	}
	return NULL;
}

static void threads_share_what_was_fetched(void **state)
{
	pthread_t threads[4];
	bool failed[4] = {0};

	(void)state;
	for (size_t i = 0; i < array_length(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_much, &failed[i]), 0);
	for (size_t i = 0; i < array_length(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_false(failed[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_what_was_fetched),
		cmocka_unit_test(sha_of_known_texts),
		cmocka_unit_test(hmac_vectors_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
