#include "acme/tpm.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

enum { MODULUS_MAX = 1024, USUAL_EXPONENT = 65537 };

static bool refuse(struct problem *p)
{
	ERR_clear_error();
	return problem_set(p, PROBLEM_MALFORMED, "its numbers are no public key");
}

static bool make(const char *type, OSSL_PARAM params[], EVP_PKEY **ret, struct problem *p)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

	if (!ctx || !params)
		return problem_memory(p);
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return refuse(p);
	return true;
}

/* An exponent of 0 is the usual one (12.2.3.5). */
static bool make_rsa(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p)
{
	if (public->modulus.len == 0 || public->modulus.len > MODULUS_MAX)
		return refuse(p);
	auto(BIGNUM) *n = BN_bin2bn(public->modulus.data, (int)public->modulus.len, NULL);
	auto(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
	if (!n || !build || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E, public->exponent ? public->exponent : USUAL_EXPONENT) != 1)
		return problem_memory(p);
	auto(OSSL_PARAM) *params = OSSL_PARAM_BLD_to_param(build);
	return make("RSA", params, ret, p);
}

static const struct curve {
	uint16_t id;      /* TPM_ECC_CURVE (6.4) */
	size_t field;
	const char *group;
} curves[] = {
	{ 0x0003, 32, "P-256" },
	{ 0x0004, 48, "P-384" },
	{ 0x0005, 66, "P-521" },
};

static const struct curve *curve_find(uint16_t id)
{
	for (size_t i = 0; i < array_length(curves); i++)
		if (curves[i].id == id)
			return &curves[i];
	return NULL;
}

/* A TPM may leave out zero bytes that a coordinate begins with. */
static void put_coordinate(uint8_t *at, size_t field, struct bytes coordinate)
{
	memset(at, 0, field - coordinate.len);
	if (coordinate.len > 0)
		memcpy(at + field - coordinate.len, coordinate.data, coordinate.len);
}

static bool make_ecc(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p)
{
	const struct curve *curve = curve_find(public->curve);
	uint8_t point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
	char group[8];

	if (!curve)
		return problem_set(p, PROBLEM_MALFORMED, "it is on none of the curves P-256, P-384 and P-521");
	if (public->x.len > curve->field || public->y.len > curve->field)
		return refuse(p);
	put_coordinate(point + 1, curve->field, public->x);
	put_coordinate(point + 1 + curve->field, curve->field, public->y);
	strcpy(group, curve->group);
	return make("EC", (OSSL_PARAM[]){
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * curve->field),
		OSSL_PARAM_construct_end(),
	}, ret, p);
}

bool tpm_public_key(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p)
{
	return public->type == TPM_RSA ? make_rsa(public, ret, p) : make_ecc(public, ret, p);
}
