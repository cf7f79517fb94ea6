/* What an operation on the CAs writes: as much as can be read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/chain.h"
#include "ca/change.h"
#include "tests/unit/test_ca_folder.h"

static X509 *certificate_new(EVP_PKEY *key)
{
	X509 *certificate = X509_new();

	X509_set_pubkey(certificate, key);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void a_chain_is_as_long_as_can_be_read(void **state)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(ossl_x509_stack) *chain = sk_X509_new_null();

	(void)state;
	for (int n = 1; n <= CHAIN_LENGTH_MAX + 1; n++) {
		auto_value(change) change = { 0 };
		auto_value(problem) p = { 0 };
		assert_true(sk_X509_push(chain, certificate_new(key)) > 0);
		bool taken = change_chain_file(&change, "deep", chain, &p);
		assert_int_equal(taken, n <= CHAIN_LENGTH_MAX);
		assert_int_equal(change.file_count, taken);
		if (!taken) {
			assert_string_equal(p.detail, "deep: 9 certificates above it, of which 8 are the most");
			continue;
		}
		auto(ossl_x509_stack) *again = NULL;
		assert_true(change_apply(folder, &change, &p));
		assert_true(chain_read(in_folder("deep.chain.pem"), &again, &p));
		assert_int_equal(sk_X509_num(again), n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_chain_is_as_long_as_can_be_read, folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
