/* Makes keys, JWKs and JWSs as a client does, right or wrong, for the tests of acme/. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/ossl.h"

struct maker_algorithm {
	const char *name, *type, *group, *digest, *crv;
	size_t size;   /* of a coordinate */
};
static const struct maker_algorithm maker_algorithms[] = {
	{ "ES256", "EC", "P-256", "SHA256", "P-256", 32 },
	{ "ES384", "EC", "P-384", "SHA384", "P-384", 48 },
	{ "ES512", "EC", "P-521", "SHA512", "P-521", 66 },
	{ "EdDSA", "ED25519", NULL, NULL, "Ed25519", 32 },
	{ "RS256", "RSA", NULL, "SHA256", NULL, 0 },
	{ "PS256", "RSA", NULL, "SHA256", NULL, 0 },
};

static inline const struct maker_algorithm *maker_find(const char *alg)
{
	for (size_t i = 0; i < array_length(maker_algorithms); i++)
		if (str_equal(maker_algorithms[i].name, alg))
			return &maker_algorithms[i];
	fail_msg("no algorithm %s", alg);
	return NULL;
}

static inline EVP_PKEY *maker_key(const char *alg)
{
	const struct maker_algorithm *a = maker_find(alg);
	EVP_PKEY *key = str_equal(a->type, "EC") ? EVP_EC_gen(a->group) : str_equal(a->type, "RSA") ? EVP_RSA_gen(2048)
	              : EVP_PKEY_Q_keygen(NULL, NULL, a->type);
	assert_non_null(key);
	return key;
}

static inline void maker_add_number(struct buf *out, EVP_PKEY *key, const char *param, size_t size)
{
	auto(BIGNUM) *n = NULL;
	uint8_t octets[1024];
	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
	int len = size ? (int)size : BN_num_bytes(n);
	assert_int_equal(BN_bn2binpad(n, octets, len), len);
	buf_add_base64url(out, BYTES(octets, len));
}

/* The public key as a JWK, its members in the order of RFC 7638. */
static inline void maker_jwk(struct buf *out, EVP_PKEY *key, const char *alg)
{
	const struct maker_algorithm *a = maker_find(alg);
	if (str_equal(a->type, "RSA")) {
		buf_add_str(out, "{\"e\":\"");
		maker_add_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
		buf_add_str(out, "\",\"kty\":\"RSA\",\"n\":\"");
		maker_add_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
	} else if (str_equal(a->type, "EC")) {
		buf_printf(out, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", a->crv);
		maker_add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, a->size);
		buf_add_str(out, "\",\"y\":\"");
		maker_add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, a->size);
	} else {
		uint8_t octets[32];
		size_t len = sizeof octets;
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, octets, &len), 1);
		buf_printf(out, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"", a->crv);
		buf_add_base64url(out, BYTES(octets, len));
	}
	buf_add_str(out, "\"}");
}

static inline void maker_sign(struct buf *out, EVP_PKEY *key, const char *alg, struct bytes input)
{
	const struct maker_algorithm *a = maker_find(alg);
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	uint8_t octets[1024];
	size_t len = sizeof octets;
	assert_int_equal(EVP_DigestSignInit_ex(ctx, &options, a->digest, NULL, NULL, key, NULL), 1);
	if (str_equal(alg, "PS256")) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, octets, &len, input.data, input.len), 1);
	if (!EVP_PKEY_is_a(key, "EC")) {
		buf_add(out, octets, len);
		return;
	}
	const uint8_t *der = octets;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	size_t size = (size_t)(EVP_PKEY_get_bits(key) + 7) / 8;
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), octets, (int)size), (int)size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), octets + size, (int)size), (int)size);
	ECDSA_SIG_free(pair);
	buf_add(out, octets, 2 * size);
}

static inline void maker_input(struct buf *out, const char *protected, const char *payload)
{
	buf_add_base64url(out, BYTES_STR(protected));
	buf_add_char(out, '.');
	buf_add_base64url(out, BYTES_STR(payload));
}

static inline void maker_join(struct buf *out, const char *protected, const char *payload, struct bytes signature)
{
	buf_add_str(out, "{\"protected\":\"");
	buf_add_base64url(out, BYTES_STR(protected));
	buf_add_str(out, "\",\"payload\":\"");
	buf_add_base64url(out, BYTES_STR(payload));
	buf_add_str(out, "\",\"signature\":\"");
	buf_add_base64url(out, signature);
	buf_add_str(out, "\"}");
}

/* The flattened JWS of these two texts; alg says how it is signed, whatever the header says. */
static inline void maker_jws(struct buf *out, EVP_PKEY *key, const char *alg, const char *protected, const char *payload)
{
	auto_value(buf) input = { 0 }, signature = { 0 };
	maker_input(&input, protected, payload);
	maker_sign(&signature, key, alg, buf_bytes(&input));
	maker_join(out, protected, payload, buf_bytes(&signature));
}

static inline void maker_mac(struct buf *out, int bits, struct bytes key, const char *protected, const char *payload)
{
	auto_value(buf) input = { 0 };
	uint8_t mac[64];
	maker_input(&input, protected, payload);
	digest_hmac(bits, key, buf_bytes(&input), mac);
	maker_join(out, protected, payload, BYTES(mac, bits / 8));
}
