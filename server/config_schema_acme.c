/* The keys of a profile that are of ACME alone. */
#include "server/config_rule.h"
#include "server/config_schema.h"

static const struct config_key profile_acme_keys[] = {
	{ "challenges",
	  "The challenges by which names are proven, of `acme.challenges`; none: all of them. A proof by another "
	  "one, which another profile of the same directory took, does not count.",
	  CONFIG_TEXTS, .offset = offsetof(struct config_profile, profile.acme.challenges),
	  .check = config_rule_challenge },
	{ "attestation_formats",
	  "The formats of device-attest-01 that it takes, of `acme.device_attest_01.formats`; none: all of them.",
	  CONFIG_TEXTS, .offset = offsetof(struct config_profile, profile.acme.attestation_formats),
	  .check = config_rule_attestation_format },
	{ "device_names",
	  "Whether a certificate names the device that was attested for it: `as-asked`, where the CSR does; "
	  "`always`; or `never`, for certificates that do not disclose it, and then a CSR that does is refused.",
	  CONFIG_CHOICE, .offset = offsetof(struct config_profile, profile.acme.device_names),
	  .fallback = "as-asked",
	  .choices = (const struct config_choice[]){ { "as-asked", PROFILE_DEVICE_NAMES_ASKED },
	                                             { "always", PROFILE_DEVICE_NAMES_ALWAYS },
	                                             { "never", PROFILE_DEVICE_NAMES_NEVER },
	                                             { NULL, 0 } } },
	{ "pre_authorization", "Whether its directory has newAuthz (RFC 8555, 7.4.1).", CONFIG_BOOL,
	  .offset = offsetof(struct config_profile, preauthorization), .fallback = "true" },
};
const struct config_section config_profile_acme_section = { .keys = profile_acme_keys,
	                                                    .key_count = array_length(profile_acme_keys) };
