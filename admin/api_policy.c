/* GET policies, and one of them: the built-in ones, and those that the caller's profiles name. */
#include "admin/api_call.h"
#include "admin/policy_json.h"

/* What a profile says itself, in the short form, is read with the profile. */
static bool names(const struct api_call *call, const struct profile *profile, const char *policy)
{
	return !profile->short_form && str_equal(profile->policy->name, policy) && api_sees(call, profile->name);
}

static const struct policy *find(const struct api_call *call, const char *name)
{
	const struct profile *profile;

	for (size_t i = 0; (profile = profiles_at(call->profiles, i)); i++)
		if (names(call, profile, name))
			return profile->policy;
	return NULL;
}

static void put_profiles(const struct api_call *call, const char *policy, struct json_writer *w)
{
	const struct profile *profile;

	json_open_array(w, "profiles");
	for (size_t i = 0; (profile = profiles_at(call->profiles, i)); i++)
		if (names(call, profile, policy))
			json_put(w, NULL, profile->name);
	json_close(w);
}

/* Without rules an entry of the list. */
static void put(const struct api_call *call, const char *name, const struct policy *rules, struct json_writer *w)
{
	const struct policy_preset *preset = policy_preset_find(name);

	json_open(w, NULL);
	json_put(w, "id", name);
	json_put_bool(w, "builtIn", preset != NULL);
	json_put(w, "description", preset ? preset->description : NULL);
	put_profiles(call, name, w);
	if (rules)
		policy_put(w, "rules", rules);
	json_close(w);
}

static bool is_first(const struct api_call *call, size_t i)
{
	const struct profile *profile = profiles_at(call->profiles, i);

	for (size_t k = 0; k < i; k++)
		if (names(call, profiles_at(call->profiles, k), profile->policy->name))
			return false;
	return names(call, profile, profile->policy->name) && !policy_preset_find(profile->policy->name);
}

bool api_policy_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	const struct policy_preset *preset;

	json_open(&w, NULL);
	json_open_array(&w, "policies");
	for (size_t i = 0; (preset = policy_preset_at(i)); i++)
		put(call, preset->name, NULL, &w);
	for (size_t i = 0; profiles_at(call->profiles, i); i++)
		if (is_first(call, i))
			put(call, profiles_at(call->profiles, i)->policy->name, NULL, &w);
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_policy_get(struct api_call *call, struct problem *p)
{
	const char *name = call->request->captures[0];
	const struct policy *policy = find(call, name);
	const struct policy_preset *preset = policy_preset_find(name);
	auto_struct(policy) *built_in = NULL;

	if (!policy && !preset)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no policy %s", name);
	if (!policy && !policy_preset_make(preset, &built_in, p))
		return false;
	struct json_writer w = api_reply(call, 200);
	put(call, name, policy ?: built_in, &w);
	return buf_check(&call->response->body, p);
}
