/* The shapes of what is said of profiles and policies. */
#include "admin/api_schema.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }

static const struct api_field acme_fields[] = {
	{ "externalAccountRequired", API_BOOL, .required = true,
	  .meaning = "whether accounts must be bound to an external one" },
	{ "challenges", API_TEXTS, .meaning = "by which names are proven; without: all that the server offers" },
	{ "autoRenewal", API_BOOL, .required = true, .meaning = "whether orders can renew themselves (RFC 8739)" },
};
static API_OBJECT_OF(acme, "ProfileAcme", acme_fields);

static const struct api_field profile_fields[] = {
	GIVEN("id", "its name"),
	TEXT("description", "what it is for"),
	TEXT("issuer", "id of the issuing CA; without: the default one"),
	GIVEN("policy", "name of the policy that judges; the profile's own name where it says itself what may be"),
	{ "methods", API_TEXTS, .required = true, .meaning = "by which its certificates are issued" },
	{ "keys", API_TEXTS, .required = true, .meaning = "keys that it certifies" },
	{ "keyUsages", API_TEXTS, .required = true,
	  .meaning = "those given when none are asked for; what does not fit the key is left out" },
	{ "extendedKeyUsages", API_TEXTS, .required = true,
	  .meaning = "those given when none are asked for, as OIDs" },
	{ "validitySeconds", API_INTEGER, .required = true, .meaning = "life when nothing is asked for" },
	{ "validityMaxSeconds", API_INTEGER, .required = true, .meaning = "the longest that can be asked for" },
	{ "keepKeys", API_BOOL, .required = true,
	  .meaning = "whether private keys that the server makes are kept" },
	{ "renewBeforeSeconds", API_INTEGER, .required = true,
	  .meaning = "how long before its end the server renews what it keeps the key of; 0: not" },
	{ "approvalsNeeded", API_INTEGER, .required = true, .meaning = "how many people must approve a request" },
	{ "approvers", API_TEXTS, .meaning = "who may; without: whoever may decide at all" },
	{ "acme", API_OBJECT, .object = &acme, .meaning = "of one that is had over ACME" },
	{ "rules", API_ANY,
	  .meaning = "of a profile that is read alone: all that its policy says, as it would stand in the "
	             "configuration" },
};
API_OBJECT_OF(api_profile_reply, "Profile", profile_fields);

static const struct api_field profiles_fields[] = { LIST("profiles", api_profile_reply,
	                                                 "those that the token counts in") };
API_OBJECT_OF(api_profiles_reply, "Profiles", profiles_fields);

static const struct api_field policy_fields[] = {
	GIVEN("id", "its name"),
	{ "builtIn", API_BOOL, .required = true, .meaning = "whether it comes with the server" },
	TEXT("description", "what it is for"),
	{ "profiles", API_TEXTS, .required = true, .meaning = "those of the token's that name it" },
	{ "rules", API_ANY,
	  .meaning = "of one that is read alone: all that it says, as it would stand in the configuration" },
};
API_OBJECT_OF(api_policy_reply, "Policy", policy_fields);

static const struct api_field policies_fields[] = { LIST("policies", api_policy_reply, "the built-in ones first") };
API_OBJECT_OF(api_policies_reply, "Policies", policies_fields);
