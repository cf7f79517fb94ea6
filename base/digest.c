#include "base/digest.h"

#include <assert.h>
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

/* Fetching an algorithm by name costs more than a short digest, so it is done once; so is an HMAC
 * context per digest, which each call copies. All live as long as the process. */
static EVP_MD *sha1, *sha256;
static EVP_MAC_CTX *hmac256, *hmac384, *hmac512;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* An empty key stands in, for a context without one cannot be copied. */
static EVP_MAC_CTX *hmac_prepare(EVP_MAC *mac, const char *digest)
{
	char name[16];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	strcpy(name, digest);
	assert(ctx && EVP_MAC_init(ctx, (const unsigned char *)"", 0, params));
	return ctx;
}

/* Without these algorithms nothing here can work, and no caller can do anything about it. */
static void setup(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(sha1 && sha256 && hmac);
	hmac256 = hmac_prepare(hmac, "SHA256");
	hmac384 = hmac_prepare(hmac, "SHA384");
	hmac512 = hmac_prepare(hmac, "SHA512");
	EVP_MAC_free(hmac);
}

void digest_sha1(struct bytes in, uint8_t ret[20])
{
	pthread_once(&once, setup);
	int done = EVP_Digest(in.data, in.len, ret, NULL, sha1, NULL);
	assert(done);
}

void digest_sha256(struct bytes in, uint8_t ret[SHA256_SIZE])
{
	pthread_once(&once, setup);
	int done = EVP_Digest(in.data, in.len, ret, NULL, sha256, NULL);
	assert(done);
}

/* A key of NULL leaves the one of the context that was copied, which is empty too. */
void digest_hmac(int bits, struct bytes key, struct bytes in, uint8_t *ret)
{
	size_t len = 0;

	pthread_once(&once, setup);
	assert(bits == 256 || bits == 384 || bits == 512);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(bits == 256 ? hmac256 : bits == 384 ? hmac384 : hmac512);
	int done = ctx && EVP_MAC_init(ctx, key.data, key.len, NULL) &&
	           EVP_MAC_update(ctx, in.data, in.len) && EVP_MAC_final(ctx, ret, &len, (size_t)bits / 8);
	EVP_MAC_CTX_free(ctx);
	assert(done && len == (size_t)bits / 8);
}
