#include "acme/attestation_statement.h"
#include "acme/tpm.h"

#include <openssl/err.h>

/* WebAuthn Level 3, 8.3: an attestation key of a TPM (AK) certifies another key of that TPM. extraData carries
 * the challenge; the certificate of the AK names the device. */

/* --- certificate of the AK (8.3.1) */

#define KP_AIK_CERTIFICATE "2.23.133.8.3"

static bool check_usage(const struct attestation_statement *s, struct problem *p)
{
	auto(EXTENDED_KEY_USAGE) *usages = X509_get_ext_d2i(attestation_leaf(s), NID_ext_key_usage, NULL, NULL);
	auto(ASN1_OBJECT) *wanted = OBJ_txt2obj(KP_AIK_CERTIFICATE, 1);

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		if (OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), wanted) == 0)
			return true;
	return attestation_refuse(s, p, "the certificate of the AK is not for attestation keys: it has no "
	                          "extended key usage "
	                                KP_AIK_CERTIFICATE " (tcg-kp-AIKCertificate)");
}

/* TCG EK Credential Profile, 3.2.9. */
static const struct attribute {
	const char *oid, *name;
} attributes[] = {
	{ "2.23.133.2.1", "tpmManufacturer" },
	{ "2.23.133.2.2", "tpmModel" },
	{ "2.23.133.2.3", "tpmVersion" },
};

static bool has_attribute(const X509_NAME *name, const char *oid)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);
	int at = X509_NAME_get_index_by_OBJ((X509_NAME *)(uintptr_t)name, object, -1);

	return at >= 0 && ASN1_STRING_length(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) > 0;
}

static bool find_attribute(const GENERAL_NAMES *names, const char *oid)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DIRNAME && has_attribute(name->d.directoryName, oid))
			return true;
	}
	return false;
}

static bool check_hardware(const struct attestation_statement *s, struct problem *p)
{
	auto(GENERAL_NAMES) *names = X509_get_ext_d2i(attestation_leaf(s), NID_subject_alt_name, NULL, NULL);

	for (size_t i = 0; i < array_length(attributes); i++)
		if (!find_attribute(names, attributes[i].oid))
			return attestation_refuse(s, p, "the certificate of the AK does not say %s (%s) in its "
			                          "subjectAltName",
			                          attributes[i].name, attributes[i].oid);
	return true;
}

static bool check_certificate(const struct attestation_statement *s, struct problem *p)
{
	if (X509_NAME_entry_count(X509_get_subject_name(attestation_leaf(s))) > 0)
		return attestation_refuse(s, p, "the certificate of the AK has a subject (WebAuthn, 8.3.1: empty)");
	return check_usage(s, p) && check_hardware(s, p);
}

/* --- signature of the AK */

/* What algorithm and hash of a TPMT_SIGNATURE are in the terms of alg: they must be the same. */
static bool signature_fits(const struct tpm_signature *signature, EVP_PKEY *key,
                           const struct attestation_algorithm *algorithm)
{
	const EVP_MD *hash = tpm_hash(signature->hash), *wanted = attestation_algorithm_hash(algorithm);
	bool ecc = signature->algorithm == TPM_ECDSA;

	return hash && wanted && EVP_MD_get_type(hash) == EVP_MD_get_type(wanted) &&
	       ecc == (EVP_PKEY_is_a(key, "EC") == 1) &&
	       (signature->algorithm == TPM_RSAPSS) == attestation_algorithm_is_pss(algorithm);
}

static bool put_ecdsa(const struct tpm_signature *signature, struct buf *ret, struct problem *p)
{
	auto(ECDSA_SIG) *pair = ECDSA_SIG_new();
	auto(BIGNUM) *r = BN_bin2bn(signature->r.data, (int)signature->r.len, NULL);
	auto(BIGNUM) *s = BN_bin2bn(signature->s.data, (int)signature->s.len, NULL);

	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
		return problem_memory(p);
	r = s = NULL;
	return ossl_der(i2d_ECDSA_SIG, pair, ret) || problem_memory(p);
}

/* The specification says TPMT_SIGNATURE; Windows sends what is in it, and so do the specification's own
 * examples. */
static bool read_signature(const struct attestation_statement *s, EVP_PKEY *key,
                           const struct attestation_algorithm *algorithm, struct buf *ret, struct problem *p)
{
	struct tpm_signature signature;
	struct bytes sig;

	if (!attestation_bytes(s, "sig", &sig, p))
		return false;
	if (!tpm_signature_read(sig, &signature)) {
		buf_add(ret, sig.data, sig.len);
		return buf_check(ret, p);
	}
	if (!signature_fits(&signature, key, algorithm))
		return attestation_refuse(s, p, "the algorithms of the TPMT_SIGNATURE are not those of \"alg\"");
	if (signature.algorithm == TPM_ECDSA)
		return put_ecdsa(&signature, ret, p);
	buf_add(ret, signature.rsa.data, signature.rsa.len);
	return buf_check(ret, p);
}

/* --- what it certifies */

static bool check_challenge(const struct attestation_statement *s, const struct attestation_algorithm *algorithm,
                            struct bytes extra_data, struct problem *p)
{
	const EVP_MD *hash = attestation_algorithm_hash(algorithm);
	uint8_t want[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!hash)
		return attestation_refuse(s, p, "\"alg\" has no hash, by which certInfo could carry the challenge");
	if (EVP_Digest(s->challenge.to_be_signed.data, s->challenge.to_be_signed.len, want, &len, hash, NULL) != 1)
		return problem_openssl(p, "a digest");
	return bytes_equal(extra_data, BYTES(want, len)) ||
	       attestation_refuse(s, p, "extraData of certInfo is not the hash (%s) of this challenge's key "
	                          "authorization",
	                          EVP_MD_get0_name(hash));
}

/* Part 1, 16: the name of a key is nameAlg and the hash of its public area. */
static bool check_name(const struct attestation_statement *s, const struct tpm_public *public, struct bytes area,
                       struct bytes name, struct problem *p)
{
	const EVP_MD *hash = tpm_hash(public->name_algorithm);
	uint8_t want[2 + EVP_MAX_MD_SIZE] = { (uint8_t)(public->name_algorithm >> 8), (uint8_t)public->name_algorithm };
	unsigned len;

	if (!hash)
		return attestation_refuse(s, p, "nameAlg of pubArea is not SHA-256, SHA-384 or SHA-512");
	if (EVP_Digest(area.data, area.len, want + 2, &len, hash, NULL) != 1)
		return problem_openssl(p, "a digest");
	return bytes_equal(name, BYTES(want, 2 + len)) ||
	       attestation_refuse(s, p, "certInfo certifies another key than that of pubArea");
}

/* Part 2, 8.3. One that is restricted signs no CSR, and one that is not of this TPM alone is no proof of the
 * device. */
static bool check_attributes(const struct attestation_statement *s, uint32_t has, struct problem *p)
{
	static const struct {
		uint32_t bit;
		bool wanted;
		const char *refusal;
	} rows[] = {
		{ TPM_FIXED_TPM, true, "could be moved to another TPM (no fixedTPM)" },
		{ TPM_FIXED_PARENT, true, "could be put below another parent (no fixedParent)" },
		{ TPM_SENSITIVE_DATA_ORIGIN, true, "was not made by the TPM (no sensitiveDataOrigin)" },
		{ TPM_SIGN, true, "is not for signatures (no sign)" },
		{ TPM_RESTRICTED, false, "signs nothing but the TPM's own structures (restricted)" },
	};

	for (size_t i = 0; i < array_length(rows); i++)
		if (!!(has & rows[i].bit) != rows[i].wanted)
			return attestation_refuse(s, p, "the attested key %s", rows[i].refusal);
	return true;
}

static bool judge_key(const struct attestation_statement *s, struct bytes name, struct attestation *ret,
                      struct problem *p)
{
	struct tpm_public public;
	struct bytes area;
	auto(EVP_PKEY) *key = NULL;
	auto_value(problem) why = {0};

	if (!attestation_bytes(s, "pubArea", &area, p))
		return false;
	if (!tpm_public_read(area, &public, &why) || !tpm_public_key(&public, &key, &why))
		return attestation_refuse(s, p, "pubArea cannot be used: %s", why.detail);
	return check_name(s, &public, area, name, p) && check_attributes(s, public.attributes, p) &&
	       attestation_set_key(key, ret, p);
}

static bool judge_certified(const struct attestation_statement *s, const struct attestation_algorithm *algorithm,
                            EVP_PKEY *ak, struct bytes *ret_name, struct problem *p)
{
	struct tpm_certified certified;
	struct bytes info;
	auto_value(buf) signature = {0};
	auto_value(problem) why = {0};

	if (!attestation_bytes(s, "certInfo", &info, p) || !read_signature(s, ak, algorithm, &signature, p))
		return false;
	if (!tpm_certified_read(info, &certified, &why))
		return attestation_refuse(s, p, "certInfo cannot be used: %s", why.detail);
	*ret_name = certified.name;
	return attestation_check_signature(s, algorithm, ak, info, buf_bytes(&signature), "certInfo", p) &&
	       check_challenge(s, algorithm, certified.extra_data, p);
}

bool attestation_tpm(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	const struct cbor *version = cbor_of(s->fields, "ver", CBOR_TEXT);
	const struct attestation_algorithm *algorithm = NULL;
	struct bytes name;
	EVP_PKEY *ak = NULL;

	if (!version || !bytes_equal(version->bytes, BYTES_STR("2.0")))
		return attestation_refuse(s, p, "\"ver\" is not the text \"2.0\"");
	return check_certificate(s, p) && attestation_leaf_key(s, &ak, p) &&
	       attestation_algorithm_of(s, ak, false, &algorithm, p) && judge_certified(s, algorithm, ak, &name, p) &&
	       judge_key(s, name, ret, p) && attestation_add_alt_names(s, ret, p);
}
