#include "acme/attestation_statement.h"
#include "base/digest.h"

/* WebAuthn Level 3, 8.4: the device's own certificate is for the attested key, and tells of it in an extension
 * that the secure hardware made; the key signs what the draft, 5, says is to be signed. */

/* KeyDescription: SEQUENCE { attestationVersion INTEGER, attestationSecurityLevel ENUMERATED, keyMintVersion
 * INTEGER, keyMintSecurityLevel ENUMERATED, attestationChallenge OCTET STRING, uniqueId OCTET STRING,
 * softwareEnforced AuthorizationList, hardwareEnforced AuthorizationList } */
#define KEY_DESCRIPTION "1.3.6.1.4.1.11129.2.1.17"

struct description {
	struct bytes attested_by, kept_by;   /* security levels */
	struct bytes challenge;
	struct bytes software, hardware;     /* contents of the AuthorizationLists */
};

/* Tags of an AuthorizationList, each [n] EXPLICIT. */
enum {
	TAG_PURPOSE = 1, TAG_ALL_APPLICATIONS = 600, TAG_ORIGIN = 702, TAG_SERIAL = 713, TAG_IMEI = 714, TAG_MEID = 715,
	TAG_SECOND_IMEI = 723,
};
enum { PURPOSE_SIGN = 2, ORIGIN_GENERATED = 0, LEVEL_TRUSTED_ENVIRONMENT = 1, LEVEL_STRONG_BOX = 2 };

static bool parse_description(struct bytes der, struct description *ret)
{
	struct bytes in, skipped;

	return tlv_only(der, TLV_SEQUENCE, &in) && tlv_take(&in, TLV_INTEGER, &skipped) &&
	       tlv_take(&in, TLV_ENUMERATED, &ret->attested_by) && tlv_take(&in, TLV_INTEGER, &skipped) &&
	       tlv_take(&in, TLV_ENUMERATED, &ret->kept_by) && tlv_take(&in, TLV_OCTET_STRING, &ret->challenge) &&
	       tlv_take(&in, TLV_OCTET_STRING, &skipped) && tlv_take(&in, TLV_SEQUENCE, &ret->software) &&
	       tlv_take(&in, TLV_SEQUENCE, &ret->hardware) && in.len == 0;
}

/* Whoever holds an attested key could sign a certificate with a description of his own, so that nothing but the
 * first certificate may have one. */
static bool read_description(const struct attestation_statement *s, struct description *ret, struct problem *p)
{
	struct bytes value, other;
	bool found;

	if (!attestation_extension(s, KEY_DESCRIPTION, &found, &value, p))
		return false;
	if (!found)
		return attestation_refuse(s, p, "the first certificate of x5c has no key description "
		                          "(" KEY_DESCRIPTION ")");
	for (int i = 1; i < sk_X509_num(s->path); i++)
		if (attestation_extensions(sk_X509_value(s->path, i), KEY_DESCRIPTION, &other) > 0)
			return attestation_refuse(s, p,
			                          "certificate %d of the chain is of an attested key itself", i + 1);
	return parse_description(value, ret) || attestation_refuse(s, p, "the key description cannot be read");
}

/* The key authorization, or its SHA-256, as WebAuthn has a hash of its client's data there. */
static bool check_challenge(const struct attestation_statement *s, struct bytes challenge, struct problem *p)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(s->challenge.key, hash);
	return bytes_equal(challenge, s->challenge.key) || bytes_equal(challenge, BYTES(hash, sizeof(hash))) ||
	       attestation_refuse(s, p, "attestationChallenge is not this challenge's key authorization");
}

static bool is_number(struct bytes content, int number)
{
	return content.len == 1 && content.data[0] == number;
}

static bool is_hardware(struct bytes level)
{
	return is_number(level, LEVEL_TRUSTED_ENVIRONMENT) || is_number(level, LEVEL_STRONG_BOX);
}

static bool check_levels(const struct attestation_statement *s, const struct description *d, struct problem *p)
{
	if (!is_hardware(d->attested_by))
		return attestation_refuse(s, p, "software attests: attestationSecurityLevel is not 1 or 2");
	return is_hardware(d->kept_by) ||
	       attestation_refuse(s, p, "the key is not kept by hardware: keyMintSecurityLevel is not 1 or 2");
}

/* --- what the lists say */

static bool has_purpose(struct bytes set, int purpose)
{
	struct bytes in, number;

	if (!tlv_only(set, TLV_SET, &in))
		return false;
	while (tlv_take(&in, TLV_INTEGER, &number))
		if (is_number(number, purpose))
			return true;
	return false;
}

/* What one list says of the key. */
struct enforced {
	bool all_applications, signs, generated;
};

static void take_name(struct bytes value, struct attestation *ret)
{
	struct bytes name;

	if (ret && tlv_only(value, TLV_OCTET_STRING, &name))
		attestation_add_name(ret, false, name, BYTES(NULL, 0));
}

static void take_entry(uint32_t tag, struct bytes value, struct enforced *ret, struct attestation *ret_names)
{
	struct bytes number;

	switch (tag) {
	case TAG_ALL_APPLICATIONS: ret->all_applications = true; break;
	case TAG_PURPOSE: ret->signs = has_purpose(value, PURPOSE_SIGN); break;
	case TAG_ORIGIN:
		ret->generated = tlv_only(value, TLV_INTEGER, &number) && is_number(number, ORIGIN_GENERATED);
		break;
	case TAG_SERIAL:
	case TAG_IMEI:
	case TAG_MEID:
	case TAG_SECOND_IMEI: take_name(value, ret_names); break;
	default: break;
	}
}

static bool read_list(struct bytes list, struct enforced *ret, struct attestation *ret_names)
{
	struct bytes value;
	uint32_t tag;

	while (list.len > 0) {
		if (!tlv_take_numbered(&list, &tag, &value))
			return false;
		take_entry(tag, value, ret, ret_names);
	}
	return true;
}

/* Hardware's word alone counts for all but that no other application has the key. */
static bool judge_lists(const struct attestation_statement *s, const struct description *d, struct attestation *ret,
                        struct problem *p)
{
	struct enforced software = {0}, hardware = {0};

	if (!read_list(d->software, &software, NULL) || !read_list(d->hardware, &hardware, ret))
		return attestation_refuse(s, p, "an authorization list of the key description cannot be read");
	if (software.all_applications || hardware.all_applications)
		return attestation_refuse(s, p, "the key is for all applications of the device (allApplications)");
	if (!hardware.generated)
		return attestation_refuse(s, p, "the key was not generated by the hardware (origin)");
	return hardware.signs ||
	       attestation_refuse(s, p, "the key is not for signatures by the hardware's word (purpose)");
}

static bool check_signature(const struct attestation_statement *s, EVP_PKEY *key, struct problem *p)
{
	const struct attestation_algorithm *algorithm = NULL;
	struct bytes signature;

	return attestation_algorithm_of(s, key, false, &algorithm, p) && attestation_bytes(s, "sig", &signature, p) &&
	       attestation_check_signature(s, algorithm, key, s->challenge.to_be_signed, signature,
	                                   "the key authorization", p);
}

bool attestation_android_key(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	struct description description;
	EVP_PKEY *key = NULL;

	return attestation_leaf_key(s, &key, p) && check_signature(s, key, p) && read_description(s, &description, p) &&
	       check_challenge(s, description.challenge, p) && check_levels(s, &description, p) &&
	       judge_lists(s, &description, ret, p) && attestation_set_key(key, ret, p);
}
