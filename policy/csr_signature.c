#include "policy/csr_part.h"

#define OID_PSS "1.2.840.113549.1.1.10"

static const struct csr_algorithm algorithms[CSR_SIGNATURE_MAX] = {
	[CSR_RSA_SHA256] = { "rsa-sha256", "1.2.840.113549.1.1.11", "RSA", "SHA256", CSR_NULL_OR_NONE },
	[CSR_RSA_SHA384] = { "rsa-sha384", "1.2.840.113549.1.1.12", "RSA", "SHA384", CSR_NULL_OR_NONE },
	[CSR_RSA_SHA512] = { "rsa-sha512", "1.2.840.113549.1.1.13", "RSA", "SHA512", CSR_NULL_OR_NONE },
	[CSR_RSA_PSS_SHA256] = { "rsa-pss-sha256", OID_PSS, "RSA", "SHA256", CSR_PSS },
	[CSR_RSA_PSS_SHA384] = { "rsa-pss-sha384", OID_PSS, "RSA", "SHA384", CSR_PSS },
	[CSR_RSA_PSS_SHA512] = { "rsa-pss-sha512", OID_PSS, "RSA", "SHA512", CSR_PSS },
	[CSR_ECDSA_SHA256] = { "ecdsa-sha256", "1.2.840.10045.4.3.2", "EC", "SHA256", CSR_NULL_OR_NONE },
	[CSR_ECDSA_SHA384] = { "ecdsa-sha384", "1.2.840.10045.4.3.3", "EC", "SHA384", CSR_NULL_OR_NONE },
	[CSR_ECDSA_SHA512] = { "ecdsa-sha512", "1.2.840.10045.4.3.4", "EC", "SHA512", CSR_NULL_OR_NONE },
	[CSR_ED25519] = { "ed25519", "1.3.101.112", "ED25519", NULL, CSR_NONE },
};

const struct csr_algorithm *csr_algorithm(enum csr_signature s)
{
	return &algorithms[s];
}

const char *csr_signature_name(enum csr_signature s)
{
	return algorithms[s].name;
}

static const char *type_of(enum key_algorithm a)
{
	return a == KEY_ED25519 ? "ED25519" : a <= KEY_RSA_4096 ? "RSA" : "EC";
}

enum csr_signature csr_signature_for(enum key_algorithm a, unsigned allowed)
{
	enum csr_signature usual = CSR_SIGNATURE_MAX;

	for (enum csr_signature s = 0; s < CSR_SIGNATURE_MAX; s++) {
		if (!str_equal(algorithms[s].type, type_of(a)))
			continue;
		if (allowed == 0 || allowed & 1u << s)
			return s;
		usual = usual == CSR_SIGNATURE_MAX ? s : usual;
	}
	return usual;
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
 * who write SHA-2: three bytes differ. */
static bool is_pss(struct bytes parameters, const char *digest)
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
	size_t i = 0;

	while (!str_equal(digests[i].name, digest))
		i++;
	want[HASH] = want[MGF1_HASH] = digests[i].oid_end;
	want[SALT_LENGTH] = digests[i].length;
	return bytes_equal(parameters, BYTES(want, sizeof(want)));
}

static bool parameters_fit(const struct csr_algorithm *algorithm, struct bytes parameters)
{
	switch (algorithm->parameters) {
	case CSR_NONE: return parameters.len == 0;
	case CSR_NULL_OR_NONE: return parameters.len == 0 || bytes_equal(parameters, BYTES("\x05\x00", 2));
	case CSR_PSS: return is_pss(parameters, algorithm->digest);
	}
	return false;
}

static bool find(const char *oid, struct bytes parameters, enum csr_signature *ret, struct problem *p)
{
	bool known = false;

	for (enum csr_signature s = 0; s < CSR_SIGNATURE_MAX; s++) {
		if (!str_equal(algorithms[s].oid, oid))
			continue;
		known = true;
		if (parameters_fit(&algorithms[s], parameters)) {
			*ret = s;
			return true;
		}
	}
	return known ? problem_set(p, PROBLEM_BAD_CSR,
	                           "RFC 4055, 5: the parameters of signature algorithm %s are not supported", oid)
	             : refuse_unknown(oid, p);
}

static bool verify(EVP_PKEY *key, const struct csr_algorithm *algorithm, struct bytes tbs, struct bytes signature,
                   struct problem *p)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx; /* ctx's */

	if (!ctx)
		return problem_memory(p);
	if (EVP_DigestVerifyInit_ex(ctx, &key_ctx, algorithm->digest, NULL, NULL, key, NULL) != 1 ||
	    (algorithm->parameters == CSR_PSS && !ossl_use_pss(key_ctx)))
		return problem_openssl(p, "verifying a CSR");
	EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
	if (EVP_DigestVerify(ctx, signature.data, signature.len, tbs.data, tbs.len) == 1)
		return true;
	return !ossl_no_memory(p) &&
	       problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 3: the CSR's signature is not one of its own key");
}

bool csr_signature_check(EVP_PKEY *key, struct bytes algorithm, struct bytes tbs, struct bytes signature,
                         enum csr_signature *ret, struct problem *p)
{
	char oid[TLV_OID_SIZE];
	struct bytes type;

	if (!tlv_take(&algorithm, TLV_OID, &type) || !tlv_oid_text(type, oid) || signature.len < 1 ||
	    signature.data[0] != 0)
		return problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 4.2: the CSR's signature is malformed");
	if (!find(oid, algorithm, ret, p))
		return false;
	const struct csr_algorithm *found = &algorithms[*ret];
	if (!EVP_PKEY_is_a(key, found->type))
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 2986, 3: the CSR's signature algorithm is not one of its key");
	return verify(key, found, tbs, BYTES(signature.data + 1, signature.len - 1), p);
}
