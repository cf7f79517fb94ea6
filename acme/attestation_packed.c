#include "acme/attestation_statement.h"
#include "base/digest.h"

/* WebAuthn Level 3, 8.2. As the draft, 5, changes it, the key authorization is signed, and by the key that is
 * attested: that of the first certificate. Authenticator data, which then should not be there, is not signed
 * and says nothing. As WebAuthn itself has it, it is signed together with the hash of the client's data, which
 * here is the key authorization; then the first certificate vouches for the key in it. One without x5c (self
 * attestation) names no authority, and has been refused. */

/* id-fido-gen-ce-sernum (8.2.2): an OCTET STRING that is one device's; what is no text cannot be ordered. */
#define SERIAL_NUMBER "1.3.6.1.4.1.45724.1.1.2"

static bool take_serial(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	struct bytes value, serial;
	bool found;

	if (!attestation_extension(s, SERIAL_NUMBER, &found, &value, p))
		return false;
	if (found && tlv_only(value, TLV_OCTET_STRING, &serial))
		attestation_add_name(ret, false, serial, BYTES(NULL, 0));
	return true;
}

/* The key that a good signature attests. */
static bool judge_signature(const struct attestation_statement *s, EVP_PKEY *leaf, struct attestation *ret,
                            struct problem *p)
{
	const struct attestation_algorithm *algorithm = NULL;
	struct bytes signature;
	uint8_t hash[SHA256_SIZE];
	auto_value(buf) with_data = {0};
	auto_value(problem) why = {0};
	auto(EVP_PKEY) *credential = NULL;

	if (!attestation_algorithm_of(s, leaf, false, &algorithm, p) || !attestation_bytes(s, "sig", &signature, p))
		return false;
	if (attestation_check_signature(s, algorithm, leaf, s->challenge.to_be_signed, signature, "", &why))
		return attestation_set_key(leaf, ret, p);
	digest_sha256(s->challenge.to_be_signed, hash);
	buf_add(&with_data, s->auth_data.data, s->auth_data.len);
	buf_add(&with_data, hash, sizeof(hash));
	if (!buf_check(&with_data, p))
		return false;
	return attestation_check_signature(s, algorithm, leaf, buf_bytes(&with_data), signature,
	                                   "the key authorization, nor over authData and its SHA-256", p) &&
	       attestation_credential_key(s, &credential, p) && attestation_set_key(credential, ret, p);
}

bool attestation_packed(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	EVP_PKEY *leaf = NULL;

	return attestation_leaf_key(s, &leaf, p) && judge_signature(s, leaf, ret, p) && take_serial(s, ret, p) &&
	       attestation_add_alt_names(s, ret, p);
}
