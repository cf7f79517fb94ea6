#include "admin/profile_json.h"

#include "admin/policy_json.h"

static void put_methods(struct json_writer *w, unsigned methods)
{
	static const struct {
		enum profile_method method;
		const char *name;
	} rows[] = { { PROFILE_ACME, "acme" }, { PROFILE_EST, "est" }, { PROFILE_API, "api" } };

	json_open_array(w, "methods");
	for (size_t i = 0; i < array_length(rows); i++)
		if (methods & rows[i].method)
			json_put(w, NULL, rows[i].name);
	json_close(w);
}

static void put_keys(struct json_writer *w, unsigned keys)
{
	json_open_array(w, "keys");
	for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
		if (keys & 1u << a)
			json_put(w, NULL, key_algorithm_name(a));
	json_close(w);
}

/* What a certificate has that nothing else was asked for. */
static void put_usages(struct json_writer *w, const struct profile *profile)
{
	json_open_array(w, "keyUsages");
	for (unsigned bit = 1; bit <= 0x8000; bit <<= 1)
		if (profile->key_usage & bit)
			json_put(w, NULL, policy_key_usage_name(bit));
	json_close(w);
	json_put_strings(w, "extendedKeyUsages", &profile->extended_key_usage);
}

static void put_acme(struct json_writer *w, const struct profile *profile)
{
	json_open(w, "acme");
	json_put_bool(w, "externalAccountRequired", profile->eab_required);
	if (profile->acme.challenges.n > 0)
		json_put_strings(w, "challenges", &profile->acme.challenges);
	json_put_bool(w, "autoRenewal", profile->star.on);
	json_close(w);
}

void profile_put(struct json_writer *w, const struct profile *profile, bool whole)
{
	json_open(w, NULL);
	json_put(w, "id", profile->name);
	json_put(w, "description", profile->description);
	json_put_some(w, "issuer", profile->issuer);
	json_put(w, "policy", profile->policy->name);
	put_methods(w, profile->methods);
	put_keys(w, profile->keys);
	put_usages(w, profile);
	json_put_integer(w, "validitySeconds", profile->validity);
	json_put_integer(w, "validityMaxSeconds", profile->validity_max);
	json_put_bool(w, "keepKeys", profile->keep_keys);
	json_put_integer(w, "renewBeforeSeconds", profile->renew_before);
	json_put_integer(w, "approvalsNeeded", profile->approvals);
	if (profile->approvers.n > 0)
		json_put_strings(w, "approvers", &profile->approvers);
	if (profile->methods & PROFILE_ACME)
		put_acme(w, profile);
	if (whole)
		policy_put(w, "rules", profile->policy);
	json_close(w);
}

bool profile_is_public(const struct profile *profile)
{
	return (profile->methods & (PROFILE_ACME | PROFILE_EST | PROFILE_API)) != 0;
}
