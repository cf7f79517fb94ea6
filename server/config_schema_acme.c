/* The keys of a profile that are of ACME alone. */
#include "server/config_rule.h"
#include "server/config_schema.h"

static const struct config_key profile_acme_keys[] = {
	{ "challenges",
	  "The challenges by which names are proven, of `acme.challenges`; none: all of them. A proof by another one, which another "
	  "profile of the same directory took, does not count.", CONFIG_TEXTS, .offset = offsetof(struct config_profile, profile.acme.challenges),
	  .check = config_rule_challenge },
	{ "pre_authorization", "Whether its directory has newAuthz (RFC 8555, 7.4.1).", CONFIG_BOOL,
	  .offset = offsetof(struct config_profile, preauthorization), .fallback = "true" },
};
const struct config_section config_profile_acme_section = { .keys = profile_acme_keys, .key_count = array_length(profile_acme_keys) };
