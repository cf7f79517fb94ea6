#include "policy/csr_part.h"

#include "base/ossl.h"

#include <stdio.h>

#include <openssl/rsa.h>

/* What the parameters of the AlgorithmIdentifier are. */
enum parameters {
	NONE,         /* RFC 8410, 3 */
	NULL_OR_NONE, /* RFC 4055, 5: NULL, and absent is to be accepted. RFC 5758, 3.2: none, yet tpm2-openssl writes NULL */
	PSS,          /* RFC 4055, 3.1 */
};
static const struct algorithm {
	const char *oid;
	const char *type;   /* of the key */
	const char *digest; /* NULL: the algorithm's own */
	enum parameters parameters;
	enum csr_signature signature; /* of PSS: the one with SHA-256 */
} algorithms[] = {
	{ "1.2.840.10045.4.3.2", "EC", "SHA256", NULL_OR_NONE, CSR_ECDSA_SHA256 },
	{ "1.2.840.10045.4.3.3", "EC", "SHA384", NULL_OR_NONE, CSR_ECDSA_SHA384 },
	{ "1.2.840.10045.4.3.4", "EC", "SHA512", NULL_OR_NONE, CSR_ECDSA_SHA512 },
	{ "1.2.840.113549.1.1.11", "RSA", "SHA256", NULL_OR_NONE, CSR_RSA_SHA256 },
	{ "1.2.840.113549.1.1.12", "RSA", "SHA384", NULL_OR_NONE, CSR_RSA_SHA384 },
	{ "1.2.840.113549.1.1.13", "RSA", "SHA512", NULL_OR_NONE, CSR_RSA_SHA512 },
	{ "1.2.840.113549.1.1.10", "RSA", NULL, PSS, CSR_RSA_PSS_SHA256 },
	{ "1.3.101.112", "ED25519", NULL, NONE, CSR_ED25519 },
};

const char *csr_signature_name(enum csr_signature s)
{
	static const char *const names[CSR_SIGNATURE_MAX] = {
		[CSR_RSA_SHA256] = "rsa-sha256", [CSR_RSA_SHA384] = "rsa-sha384", [CSR_RSA_SHA512] = "rsa-sha512",
		[CSR_RSA_PSS_SHA256] = "rsa-pss-sha256", [CSR_RSA_PSS_SHA384] = "rsa-pss-sha384",
		[CSR_RSA_PSS_SHA512] = "rsa-pss-sha512", [CSR_ECDSA_SHA256] = "ecdsa-sha256",
		[CSR_ECDSA_SHA384] = "ecdsa-sha384", [CSR_ECDSA_SHA512] = "ecdsa-sha512", [CSR_ED25519] = "ed25519",
	};

	return names[s];
}

/* Named in the refusal: a client that still signs so is to be told what is wrong. */
static const struct {
	const char *oid, *name;
} weak[] = {
	{ "1.2.840.113549.1.1.2", "MD2" },   { "1.2.840.113549.1.1.4", "MD5" },
	{ "1.2.840.113549.1.1.5", "SHA-1" }, { "1.2.840.10045.4.1", "SHA-1" },
	{ "1.3.14.3.2.29", "SHA-1" },        { "1.2.840.113549.1.1.14", "SHA-224" },
	{ "1.2.840.10045.4.3.1", "SHA-224" },
};

static bool refuse_unknown(const char *oid, struct problem *p)
{
	for (size_t i = 0; i < array_length(weak); i++)
		if (str_equal(weak[i].oid, oid))
			return problem_set(p, PROBLEM_BAD_CSR,
			                   "the CSR is signed with %s: SHA-256, 384 and 512 are accepted",
			                   weak[i].name);
	return problem_set(p, PROBLEM_BAD_CSR,
	                   "RFC 2986, 4.2: the CSR's signature algorithm %s is not supported", oid);
}

/* RSASSA-PSS-params with MGF1 of the same digest and a salt of the digest's length, as all write it
 * who write SHA-2: three bytes differ. NULL: other ones. */
static const char *pss_digest(struct bytes parameters)
{
	static const struct {
		const char *name;
		uint8_t oid_end, length;
	} digests[] = { { "SHA256", 1, 32 }, { "SHA384", 2, 48 }, { "SHA512", 3, 64 } };
	enum { HASH = 16, MGF1_HASH = 46, SALT_LENGTH = 53 };
	uint8_t want[] = {
		0x30, 0x34,
		0xa0, 0x0f,
		0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00,
		0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
		0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00,
		0xa2, 0x03, 0x02, 0x01, 0x00,
	};

	for (size_t i = 0; i < array_length(digests); i++) {
		want[HASH] = want[MGF1_HASH] = digests[i].oid_end;
		want[SALT_LENGTH] = digests[i].length;
		if (bytes_equal(parameters, BYTES(want, sizeof(want))))
			return digests[i].name;
	}
	return NULL;
}

/* Whether the parameters are the algorithm's; ret_digest is the digest to verify with. */
static bool parameters_fit(const struct algorithm *algorithm, struct bytes parameters,
                           const char **ret_digest)
{
	*ret_digest = algorithm->digest;
	switch (algorithm->parameters) {
	case NONE: return parameters.len == 0;
	case NULL_OR_NONE: return parameters.len == 0 || bytes_equal(parameters, BYTES("\x05\x00", 2));
	case PSS: return (*ret_digest = pss_digest(parameters)) != NULL;
	}
	return false;
}

static const struct algorithm *algorithm_find(const char *oid)
{
	for (size_t i = 0; i < array_length(algorithms); i++)
		if (str_equal(algorithms[i].oid, oid))
			return &algorithms[i];
	return NULL;
}

static bool pss_setup(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool verify(EVP_PKEY *key, const struct algorithm *algorithm, const char *digest, struct bytes tbs,
                   struct bytes signature, struct problem *p)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx; /* ctx's */

	if (!ctx)
		return problem_memory(p);
	if (EVP_DigestVerifyInit_ex(ctx, &key_ctx, digest, NULL, NULL, key, NULL) != 1 ||
	    (algorithm->parameters == PSS && !pss_setup(key_ctx)))
		return problem_openssl(p, "verifying a CSR");
	EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
	if (EVP_DigestVerify(ctx, signature.data, signature.len, tbs.data, tbs.len) == 1)
		return true;
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 3: the CSR's signature is not one of its own key");
}

static enum csr_signature signature_of(const struct algorithm *algorithm, const char *digest)
{
	unsigned step = str_equal(digest ?: "", "SHA384") ? 1 : str_equal(digest ?: "", "SHA512") ? 2 : 0;

	return algorithm->parameters == PSS ? algorithm->signature + step : algorithm->signature;
}

bool csr_signature_check(EVP_PKEY *key, struct bytes algorithm, struct bytes tbs, struct bytes signature,
                         enum csr_signature *ret, struct problem *p)
{
	char oid[TLV_OID_SIZE];
	const char *digest;
	struct bytes type;

	if (!tlv_take(&algorithm, TLV_OID, &type) || !tlv_oid_text(type, oid) || signature.len < 1 ||
	    signature.data[0] != 0)
		return problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 4.2: the CSR's signature is malformed");
	const struct algorithm *found = algorithm_find(oid);
	if (!found)
		return refuse_unknown(oid, p);
	if (!parameters_fit(found, algorithm, &digest))
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 4055, 5: the parameters of signature algorithm %s are not supported",
		                   oid);
	if (!EVP_PKEY_is_a(key, found->type))
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 2986, 3: the CSR's signature algorithm is not one of its key");
	*ret = signature_of(found, digest);
	return verify(key, found, digest, tbs, BYTES(signature.data + 1, signature.len - 1), p);
}
