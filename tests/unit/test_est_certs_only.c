#include "est/certs_only.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <openssl/pkcs7.h>

#include "base/base64.h"
#include "base/ossl.h"

/* A certificate of about that size. */
static void make_certificate(int padding, struct buf *ret)
{
	auto(X509) *x = X509_new();
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto_free char *text = calloc(1, (size_t)padding + 1);

	memset(text, 'x', (size_t)padding);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 10);
	assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "description", MBSTRING_ASC, (uint8_t *)text, -1, -1, 0));
	assert_true(X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256()) > 0 && ossl_der(i2d_X509, x, ret));
}

/* OpenSSL's PKCS #7 reads what was put in, and no signer. */
static void test_openssl_reads_it(void **state)
{
	auto_value(buf) one = {0}, two = {0}, der = {0};

	(void)state;
	make_certificate(1, &one);
	make_certificate(900, &two);
	buf_add(&one, two.data, two.len);
	certs_only_write(buf_bytes(&one), &der);
	assert_false(der.failed);
	const uint8_t *at = der.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);
	assert_true(p7 && at == der.data + der.len && PKCS7_type_is_signed(p7));
	assert_int_equal(sk_X509_num(p7->d.sign->cert), 2);
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info), 0);
	auto_value(buf) second = {0};
	assert_true(ossl_der(i2d_X509, sk_X509_value(p7->d.sign->cert, 1), &second));
	assert_true(bytes_equal(buf_bytes(&second), buf_bytes(&two)));
	PKCS7_free(p7);
}

/* DER sizes whose base64 is just below and just at a thousand characters. */
static const struct row {
	size_t size;
	const char *header;      /* that the request has, or NULL */
	size_t want_longest;
} rows[] = {
	{ 0, "User-Agent", 0 }, { 1, "User-Agent", 4 }, { 747, "User-Agent", 996 }, { 747, NULL, 996 },
	{ 748, "User-Agent", 64 }, { 748, "Accept", 64 }, { 748, "Host", 1000 }, { 748, NULL, 1000 }, { 6000, "accept", 64 },
	{ 6000, NULL, 8000 },
};

static void test_lines(void **state)
{
	static const uint8_t data[6000];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct http_header header = { rows[i].header, "x" };
		const struct http_request request = { .headers = &header, .header_count = rows[i].header ? 1 : 0 };
		auto_value(buf) text = {0}, back = {0};
		size_t longest = 0;
		certs_only_wrap(&request, BYTES(data, rows[i].size), &text);
		for (size_t at = 0; at < text.len;) {
			size_t line = strcspn(buf_text(&text) + at, "\n");
			assert_int_equal(text.data[at + line], '\n');
			longest = line > longest ? line : longest;
			at += line + 1;
		}
		assert_int_equal(longest, rows[i].want_longest);
		assert_true(base64_decode(buf_text(&text), text.len, &back));
		assert_int_equal(back.len, rows[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_openssl_reads_it), cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
