#include "acme/attestation_statement.h"
#include "base/digest.h"

/* Managed Device Attestation, as Apple's devices send it: "apple" of WebAuthn Level 3, 8.8, in form (x5c
 * alone), but with other extensions. Apple's authority signs before the account's key is known, so the
 * challenge is in it by its token (the draft, 5). The values stand in the extensions as they are, not as DER. */

#define APPLE_SERIAL "1.2.840.113635.100.8.9.1"
#define APPLE_UDID "1.2.840.113635.100.8.9.2"
#define APPLE_FRESHNESS "1.2.840.113635.100.8.11.1"

static bool check_freshness(const struct attestation_statement *s, struct problem *p)
{
	uint8_t want[SHA256_SIZE];
	struct bytes value;
	bool found;

	if (!attestation_extension(s, APPLE_FRESHNESS, &found, &value, p))
		return false;
	if (!found)
		return attestation_refuse(s, p, "the first certificate of x5c has no freshness code "
		                          "(" APPLE_FRESHNESS ")");
	digest_sha256(s->challenge.token, want);
	return bytes_equal(value, BYTES(want, sizeof(want))) ||
	       attestation_refuse(s, p, "the freshness code is not the SHA-256 of this challenge's token");
}

/* A device that its user has enrolled shows neither. */
static bool take_names(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	static const char *const oids[] = { APPLE_SERIAL, APPLE_UDID };
	struct bytes value;
	bool found;

	for (size_t i = 0; i < array_length(oids); i++) {
		if (!attestation_extension(s, oids[i], &found, &value, p))
			return false;
		if (found)
			attestation_add_name(ret, false, value, BYTES(NULL, 0));
	}
	return true;
}

bool attestation_apple(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	EVP_PKEY *key = NULL;

	return check_freshness(s, p) && take_names(s, ret, p) && attestation_leaf_key(s, &key, p) &&
	       attestation_set_key(key, ret, p);
}
