#include "acme/attestation_statement.h"

/* WebAuthn Level 3, 8.2, as the draft, 5, changes it: what is signed is the key authorization, and there is no authenticator data that
 * would be signed too. So the key that is attested is that of the first certificate, by which the statement is signed. One
 * without x5c (self attestation) names no authority, and has been refused. */

bool attestation_packed(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	const struct attestation_algorithm *algorithm = NULL;
	struct bytes signature;
	EVP_PKEY *key = NULL;

	return attestation_leaf_key(s, &key, p) && attestation_algorithm_of(s, key, false, &algorithm, p) &&
	       attestation_bytes(s, "sig", &signature, p) &&
	       attestation_check_signature(s, algorithm, key, s->challenge.to_be_signed, signature, "the key authorization", p) &&
	       attestation_add_alt_names(s, ret, p) && attestation_set_key(key, ret, p);
}
