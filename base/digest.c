#include "base/digest.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum { WAIT_MS = 5, WAITS_MAX = 1000 };

/* Fetching an algorithm by name costs more than a short digest, so it is done once; so is an HMAC
 * context per digest, which each call copies. All live as long as the process. */
static EVP_MD *sha1, *sha256;
static EVP_MAC_CTX *hmac256, *hmac384, *hmac512;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* An empty key stands in, for a context without one cannot be copied. */
static EVP_MAC_CTX *hmac_prepare(EVP_MAC *mac, const char *digest)
{
	char name[16];

	strcpy(name, digest);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), /* 0: as long as it is now */
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

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

/* A digest cannot be refused, and fails for want of memory alone: it waits for some, but not for ever. */
static void wait_for_memory(int times)
{
	ERR_clear_error();
	assert(times < WAITS_MAX);
	poll(NULL, 0, WAIT_MS);
}

static void digest(const EVP_MD *md, struct bytes in, uint8_t *ret)
{
	for (int i = 0; EVP_Digest(in.data, in.len, ret, NULL, md, NULL) != 1; i++)
		wait_for_memory(i);
}

void digest_sha1(struct bytes in, uint8_t ret[20])
{
	pthread_once(&once, setup);
	digest(sha1, in, ret);
}

void digest_sha256(struct bytes in, uint8_t ret[SHA256_SIZE])
{
	pthread_once(&once, setup);
	digest(sha256, in, ret);
}

/* A key of NULL leaves the one of the context that was copied, which is empty too. */
static bool hmac(const EVP_MAC_CTX *prepared, struct bytes key, struct bytes in, size_t size, uint8_t *ret)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(prepared);
	size_t len = 0;
	bool done = ctx && EVP_MAC_init(ctx, key.data, key.len, NULL) && EVP_MAC_update(ctx, in.data, in.len) &&
	            EVP_MAC_final(ctx, ret, &len, size) && len == size;

	EVP_MAC_CTX_free(ctx);
	return done;
}

void digest_hmac(int bits, struct bytes key, struct bytes in, uint8_t *ret)
{
	pthread_once(&once, setup);
	assert(bits == 256 || bits == 384 || bits == 512);
	const EVP_MAC_CTX *prepared = bits == 256 ? hmac256 : bits == 384 ? hmac384 : hmac512;

	for (int i = 0; !hmac(prepared, key, in, (size_t)bits / 8, ret); i++)
		wait_for_memory(i);
}
