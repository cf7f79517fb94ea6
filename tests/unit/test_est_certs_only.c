#include "est/certs_only.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <openssl/pkcs7.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_openssl_reads_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
