#include "acme/tpm.h"

/* --- what comes next */

static bool take_u16(struct bytes *in, uint16_t *ret)
{
	struct bytes b;

	if (!bytes_take(in, 2, &b))
		return false;
	*ret = (uint16_t)(b.data[0] << 8 | b.data[1]);
	return true;
}

static bool take_u32(struct bytes *in, uint32_t *ret)
{
	struct bytes b;

	if (!bytes_take(in, 4, &b))
		return false;
	*ret = (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 | (uint32_t)b.data[2] << 8 | b.data[3];
	return true;
}

/* TPM2B: its size in 16 bits, and so many bytes. */
static bool take_sized(struct bytes *in, struct bytes *ret)
{
	struct bytes rest = *in;
	uint16_t len;

	if (!take_u16(&rest, &len) || !bytes_take(&rest, len, ret))
		return false;
	*in = rest;
	return true;
}

static bool refuse(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s", why);
}

const EVP_MD *tpm_hash(uint16_t algorithm)
{
	switch (algorithm) {
	case TPM_SHA256: return EVP_sha256();
	case TPM_SHA384: return EVP_sha384();
	case TPM_SHA512: return EVP_sha512();
	default: return NULL;
	}
}

/* --- TPMS_ATTEST */

enum {
	GENERATED_VALUE = 0xff544347, /* TPM_GENERATED_VALUE (6.2) */
	ST_ATTEST_CERTIFY = 0x8017,   /* 6.9 */
	CLOCK_INFO_SIZE = 17,         /* TPMS_CLOCK_INFO (10.11.1) */
	FIRMWARE_VERSION_SIZE = 8,
};

static bool check_kind(struct bytes *in, struct problem *p)
{
	uint32_t magic;
	uint16_t type;

	if (!take_u32(in, &magic) || magic != GENERATED_VALUE)
		return refuse(p, "its magic is not TPM_GENERATED_VALUE: no TPM made it");
	if (!take_u16(in, &type) || type != ST_ATTEST_CERTIFY)
		return refuse(p, "its type is not TPM_ST_ATTEST_CERTIFY: it certifies no key");
	return true;
}

bool tpm_certified_read(struct bytes in, struct tpm_certified *ret, struct problem *p)
{
	struct bytes signer, clock, firmware, qualified;

	if (!check_kind(&in, p))
		return false;
	if (!take_sized(&in, &signer) || !take_sized(&in, &ret->extra_data) ||
	    !bytes_take(&in, CLOCK_INFO_SIZE, &clock) ||
	    !bytes_take(&in, FIRMWARE_VERSION_SIZE, &firmware) || !take_sized(&in, &ret->name) ||
	    !take_sized(&in, &qualified))
		return refuse(p, "it ends too early for a TPMS_ATTEST");
	return in.len == 0 || refuse(p, "bytes follow the TPMS_ATTEST");
}

/* --- TPMT_PUBLIC */

/* TPMT_SYM_DEF_OBJECT (11.1.7): nothing more after TPM_ALG_NULL, else size and mode. */
static bool skip_symmetric(struct bytes *in)
{
	uint16_t algorithm;
	struct bytes rest;

	return take_u16(in, &algorithm) && (algorithm == TPM_NULL || bytes_take(in, 4, &rest));
}

/* TPMT_RSA_SCHEME (11.2.4.2), TPMT_ECC_SCHEME (11.2.5.6), TPMT_KDF_SCHEME (11.2.3.3). */
static bool skip_scheme(struct bytes *in)
{
	uint16_t scheme;
	struct bytes details;

	if (!take_u16(in, &scheme))
		return false;
	if (scheme == TPM_NULL || scheme == TPM_RSAES)
		return true;
	return bytes_take(in, scheme == TPM_ECDAA ? 4 : 2, &details);
}

/* TPMS_RSA_PARMS (12.2.3.5) and TPM2B_PUBLIC_KEY_RSA. */
static bool read_rsa(struct bytes *in, struct tpm_public *ret)
{
	uint16_t bits;

	return skip_symmetric(in) && skip_scheme(in) && take_u16(in, &bits) && take_u32(in, &ret->exponent) &&
	       take_sized(in, &ret->modulus) && ret->modulus.len == (size_t)(bits + 7) / 8;
}

/* TPMS_ECC_PARMS (12.2.3.6) and TPMS_ECC_POINT. */
static bool read_ecc(struct bytes *in, struct tpm_public *ret)
{
	return skip_symmetric(in) && skip_scheme(in) && take_u16(in, &ret->curve) && skip_scheme(in) &&
	       take_sized(in, &ret->x) && take_sized(in, &ret->y);
}

bool tpm_public_read(struct bytes in, struct tpm_public *ret, struct problem *p)
{
	struct tpm_public found = {0};
	struct bytes policy;

	if (!take_u16(&in, &found.type) || !take_u16(&in, &found.name_algorithm) || !take_u32(&in, &found.attributes) ||
	    !take_sized(&in, &policy))
		return refuse(p, "it ends too early for a TPMT_PUBLIC");
	if (found.type != TPM_RSA && found.type != TPM_ECC)
		return refuse(p, "it is neither an RSA nor an ECC key");
	if (found.type == TPM_RSA ? !read_rsa(&in, &found) : !read_ecc(&in, &found))
		return refuse(p, "parameters or key of the TPMT_PUBLIC cannot be read");
	if (in.len > 0)
		return refuse(p, "bytes follow the TPMT_PUBLIC");
	*ret = found;
	return true;
}

/* --- TPMT_SIGNATURE */

bool tpm_signature_read(struct bytes in, struct tpm_signature *ret)
{
	struct tpm_signature found = {0};
	bool good = take_u16(&in, &found.algorithm) && take_u16(&in, &found.hash);

	if (good && (found.algorithm == TPM_RSASSA || found.algorithm == TPM_RSAPSS))
		good = take_sized(&in, &found.rsa);
	else if (good && found.algorithm == TPM_ECDSA)
		good = take_sized(&in, &found.r) && take_sized(&in, &found.s);
	else
		return false;
	if (!good || in.len > 0)
		return false;
	*ret = found;
	return true;
}

/* --- the key */

static const struct curve {
	uint16_t id;
	const char *group;
} curves[] = {
	{ 0x0003, "P-256" },
	{ 0x0004, "P-384" },
	{ 0x0005, "P-521" },
};

static const char *group_of(uint16_t id)
{
	for (size_t i = 0; i < array_length(curves); i++)
		if (curves[i].id == id)
			return curves[i].group;
	return NULL;
}

enum { USUAL_EXPONENT = 65537 }; /* what an exponent of 0 means (12.2.3.5) */

static bool make_rsa(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p)
{
	uint32_t e = public->exponent ? public->exponent : USUAL_EXPONENT;
	const uint8_t exponent[] = { (uint8_t)(e >> 24), (uint8_t)(e >> 16), (uint8_t)(e >> 8), (uint8_t)e };

	return ossl_rsa_key(public->modulus, BYTES(exponent, sizeof(exponent)), ret, p);
}

bool tpm_public_key(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p)
{
	if (public->type == TPM_RSA)
		return make_rsa(public, ret, p);
	const char *group = group_of(public->curve);
	if (!group)
		return refuse(p, "it is on none of the curves P-256, P-384 and P-521");
	return ossl_ec_key(group, public->x, public->y, ret, p);
}
