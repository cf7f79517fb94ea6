#include "server/config_policy.h"

static bool usages_replace(struct strings *list, struct problem *p)
{
	struct strings names = *list;

	*list = (struct strings){0};
	bool replaced = config_usages(&names, list, p);
	strings_free(&names);
	return replaced;
}

bool config_policy_make(const struct config_policy *row, struct policy **ret, struct problem *p)
{
	auto_struct(policy) *policy = NULL;

	if (!policy_copy(&row->policy, &policy, p) || !usages_replace(&policy->extended_key_usage.required, p) ||
	    !usages_replace(&policy->extended_key_usage.allow, p) ||
	    !usages_replace(&policy->extended_key_usage.deny, p))
		return false;
	policy->unlisted = row->unlisted != 0;
	policy->path_length = policy->ca == POLICY_CA_FORBIDDEN ? -1 : (int)row->path_length;
	*ret = steal(policy);
	return true;
}

static const struct config_policy *find(const struct config *config, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(config->policies[i].policy.name, name))
			return &config->policies[i];
	return NULL;
}

bool config_policy_find(const struct config *config, const char *name, struct policy **ret, struct problem *p)
{
	const struct config_policy *row = find(config, config->policy_count, name);
	const struct policy_preset *preset = policy_preset_find(name);

	if (row)
		return config_policy_make(row, ret, p);
	return preset ? policy_preset_make(preset, ret, p)
	              : problem_set(p, PROBLEM_NOT_FOUND, "there is no policy %s", name);
}

static bool check_policy(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const char *name = config->policies[i].policy.name;
	auto_struct(policy) *policy = NULL;
	auto_value(problem) why = {0};
	auto_free char *path = mem_printf("policies[%zu]", i);

	if (!path)
		return problem_memory(p);
	if (find(config, i, name))
		return config_text_fault(text, path, p, "expected a name of its own, got `%s` again", name);
	if (!config_policy_make(&config->policies[i], &policy, p))
		return false;
	return policy_check(policy, &why) ? true : config_text_fault(text, path, p, "%s", why.detail);
}

bool config_policies_check(const struct config *config, const struct config_text *text, struct problem *p)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (!check_policy(config, i, text, p))
			return false;
	return true;
}

/* --- a profile that names a policy */

/* The keys of a profile that are its own policy, in short form. */
static const char *const short_keys[] = {
	"keys",      "dns",       "ip",          "email", "uri", "permanent_identifier", "hardware_module_name",
	"wildcards", "names_max", "validity_max"
};

static bool stands(const struct config_text *text, size_t i, const char *key)
{
	auto_free char *path = mem_printf("profiles[%zu].%s", i, key);

	return path && config_text_at(text, path) != CONFIG_NODE_NONE;
}

static bool short_refuse(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	for (size_t k = 0; k < array_length(short_keys); k++) {
		auto_free char *path = mem_printf("profiles[%zu].%s", i, short_keys[k]);
		if (path && config_text_at(text, path) != CONFIG_NODE_NONE)
			return config_text_fault(text, path, p, "expected nothing here, as policy `%s` says it",
			                         config->profiles[i].policy);
	}
	return true;
}

static bool purposes_default(struct strings *list, const struct policy *policy, const struct policy_preset *preset,
                             struct problem *p)
{
	const struct policy_values *values = &policy->extended_key_usage;

	strings_free(list);
	*list = (struct strings){0};
	for (size_t k = 0; preset && k < array_length(preset->extended_key_usage) && preset->extended_key_usage[k]; k++)
		if (!strings_add(list, preset->extended_key_usage[k]))
			return problem_memory(p);
	return preset || strings_copy(values->required.n > 0 ? &values->required : &values->allow, list) ||
	       problem_memory(p);
}

/* What the profile does not say is as its policy would have it. */
static bool defaults_take(struct config_profile *row, const struct policy *policy, size_t i,
                          const struct config_text *text, struct problem *p)
{
	const struct policy_preset *preset = policy_preset_find(policy->name);
	unsigned usage = policy->key_usage.required | policy->key_usage.allow;

	if (!stands(text, i, "key_usage"))
		row->profile.key_usage = preset  ? preset->key_usage
		                         : usage ? usage & ~policy->key_usage.deny
		                                 : KU_DIGITAL_SIGNATURE;
	if (!stands(text, i, "validity") && policy->validity_max > 0 && row->profile.validity > policy->validity_max)
		row->profile.validity = policy->validity_max;
	return stands(text, i, "extended_key_usage") ||
	       purposes_default(&row->profile.extended_key_usage, policy, preset, p);
}

bool config_policy_complete(struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	struct config_profile *row = &config->profiles[i];
	auto_struct(policy) *policy = NULL;
	auto_value(problem) why = {0};
	auto_free char *path = mem_printf("profiles[%zu].policy", i);

	if (!row->policy)
		return true;
	if (!path)
		return problem_memory(p);
	if (!config_policy_find(config, row->policy, &policy, &why))
		return config_text_refuse(text, path,
		                          "the name of one of `policies` or of a built-in one: `tls-server`, "
		                          "`tls-client`, `dual-purpose`, `device`, `user`, `email-protection`, "
		                          "`code-signing`, `intermediate-ca`",
		                          p);
	return short_refuse(config, i, text, p) && defaults_take(row, policy, i, text, p);
}
