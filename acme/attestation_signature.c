#include "acme/attestation_statement.h"

#include <inttypes.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

/* RFC 9053, 2; RFC 8812, 2; RFC 8230, 2; RFC 9864, 2. */
static const struct attestation_algorithm {
	int64_t number;
	const char *name;
	const char *key;              /* as OpenSSL calls its keys */
	const EVP_MD *(*hash)(void);  /* NULL: the algorithm's own */
	const char *curve;            /* NULL: any */
	bool pss, usual;              /* usual: meant where a key of that kind comes without a word */
} algorithms[] = {
	{ -7, "ES256", "EC", EVP_sha256, .usual = true },
	{ -35, "ES384", "EC", EVP_sha384 },
	{ -36, "ES512", "EC", EVP_sha512 },
	{ -9, "ESP256", "EC", EVP_sha256, "prime256v1" },
	{ -51, "ESP384", "EC", EVP_sha384, "secp384r1" },
	{ -52, "ESP512", "EC", EVP_sha512, "secp521r1" },
	{ -257, "RS256", "RSA", EVP_sha256, .usual = true },
	{ -258, "RS384", "RSA", EVP_sha384 },
	{ -259, "RS512", "RSA", EVP_sha512 },
	{ -37, "PS256", "RSA", EVP_sha256, .pss = true },
	{ -38, "PS384", "RSA", EVP_sha384, .pss = true },
	{ -39, "PS512", "RSA", EVP_sha512, .pss = true },
	{ -8, "EdDSA", "ED25519", NULL, .usual = true },
	{ -19, "Ed25519", "ED25519", NULL },
	{ -53, "Ed448", "ED448", NULL },
};

enum { COSE_RS1 = -65535 }; /* RFC 8812, 2: RSASSA-PKCS1-v1_5 with SHA-1 */

static const struct attestation_algorithm *usual_for(EVP_PKEY *key)
{
	for (size_t i = 0; i < array_length(algorithms); i++)
		if (algorithms[i].usual && EVP_PKEY_is_a(key, algorithms[i].key))
			return &algorithms[i];
	return NULL;
}

static const struct attestation_algorithm *numbered(int64_t number)
{
	for (size_t i = 0; i < array_length(algorithms); i++)
		if (algorithms[i].number == number)
			return &algorithms[i];
	return NULL;
}

static bool key_fits(const struct attestation_algorithm *a, EVP_PKEY *key)
{
	char curve[32];
	size_t len;

	if (!EVP_PKEY_is_a(key, a->key))
		return false;
	return !a->curve || (EVP_PKEY_get_group_name(key, curve, sizeof(curve), &len) == 1 &&
	                     str_equal(curve, a->curve));
}

bool attestation_algorithm_of(const struct attestation_statement *s, EVP_PKEY *key, bool optional,
                              const struct attestation_algorithm **ret, struct problem *p)
{
	const struct cbor *alg = cbor_of(s->fields, "alg", CBOR_INTEGER);
	const struct attestation_algorithm *a = alg ? numbered(alg->integer) : usual_for(key);

	if (!alg && !optional)
		return attestation_refuse(s, p, "there is no \"alg\", the number of a signature algorithm");
	if (alg && alg->integer == COSE_RS1)
		return attestation_refuse(s, p, "alg %d signs with SHA-1, which proves nothing", COSE_RS1);
	if (!a)
		return attestation_refuse(s, p, "alg %" PRId64 " is not a signature algorithm that is known here",
		                          alg ? alg->integer : 0);
	if (!key_fits(a, key))
		return attestation_refuse(s, p, "alg %" PRId64 " (%s) is not for the key of the first "
		                          "certificate of x5c",
		                          a->number, a->name);
	*ret = a;
	return true;
}

const EVP_MD *attestation_algorithm_hash(const struct attestation_algorithm *algorithm)
{
	return algorithm->hash ? algorithm->hash() : NULL;
}

bool attestation_algorithm_is_pss(const struct attestation_algorithm *algorithm)
{
	return algorithm->pss;
}

static bool verify(const struct attestation_algorithm *a, EVP_PKEY *key, struct bytes data, struct bytes signature)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;

	if (!ctx || EVP_DigestVerifyInit(ctx, &how, attestation_algorithm_hash(a), NULL, key) != 1)
		return false;
	return (!a->pss || ossl_use_pss(how)) &&
	       EVP_DigestVerify(ctx, signature.data, signature.len, data.data, data.len) == 1;
}

bool attestation_check_signature(const struct attestation_statement *s, const struct attestation_algorithm *algorithm,
                                 EVP_PKEY *key, struct bytes data, struct bytes signature, const char *what,
                                 struct problem *p)
{
	bool good = verify(algorithm, key, data, signature);

	ERR_clear_error();
	return good ||
	       attestation_refuse(s, p, "sig is not a signature (%s) by the key of the first certificate of x5c "
	                          "over %s",
	                          algorithm->name, what);
}
