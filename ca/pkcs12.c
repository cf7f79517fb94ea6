#include "ca/pkcs12.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

declare_auto(PKCS12, PKCS12_free);

static const struct suite {
	int cipher, iterations;
	const char *mac;
} modern = { NID_aes_256_cbc, 100000, "SHA256" }, legacy = { NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 2048, "SHA1" };

bool pkcs12_make(const struct pkcs12_parts *parts, struct buf *ret, struct problem *p)
{
	const struct suite *suite = parts->legacy ? &legacy : &modern;
	const uint8_t *at = parts->certificate.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)parts->certificate.len);
	auto(ossl_x509_stack) *chain = NULL;

	assert(parts->password && parts->password[0]);
	if (!certificate)
		return problem_openssl(p, "the certificate for PKCS #12");
	if (parts->chain.len > 0 && !ossl_certificates_from_pem(parts->chain, &chain, p))
		return false;
	/* -1: no MAC yet; that of PKCS12_create has a hash of its own choice. */
	auto(PKCS12) *file = PKCS12_create(parts->password, parts->alias, parts->key, certificate, chain,
	                                   suite->cipher, suite->cipher,
	                                   suite->iterations, -1, 0);
	if (!file ||
	    PKCS12_set_mac(file, parts->password, -1, NULL, 0, suite->iterations,
	                   EVP_get_digestbyname(suite->mac)) != 1 ||
	    !ossl_der(i2d_PKCS12, file, ret))
		return problem_openssl(p, "PKCS #12");
	return true;
}
