/* GET certificate-profiles, and one of them. */
#include "admin/api_call.h"

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
	json_open_array(w, "extendedKeyUsages");
	for (size_t i = 0; i < profile->extended_key_usage.n; i++)
		json_put(w, NULL, profile->extended_key_usage.v[i]);
	json_close(w);
}

static void put_profile(struct json_writer *w, const struct profile *profile)
{
	json_open(w, NULL);
	json_put(w, "id", profile->name);
	json_put(w, "description", profile->description);
	json_put(w, "issuer", *profile->issuer ? profile->issuer : NULL);
	json_put(w, "policy", profile->policy->name);
	put_methods(w, profile->methods);
	put_keys(w, profile->keys);
	put_usages(w, profile);
	json_put_integer(w, "validitySeconds", profile->validity);
	json_put_integer(w, "validityMaxSeconds", profile->validity_max);
	json_put_bool(w, "keepKeys", profile->keep_keys);
	json_put_integer(w, "renewBeforeSeconds", profile->renew_before);
	json_put_integer(w, "approvalsNeeded", profile->approvals);
	json_close(w);
}

/* The server's own profile is nobody's to ask for. */
static bool is_shown(const struct api_call *call, const struct profile *profile)
{
	return (profile->methods & (PROFILE_ACME | PROFILE_EST | PROFILE_API)) && api_sees(call, profile->name);
}

bool api_profile_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	const struct profile *profile;

	json_open(&w, NULL);
	json_open_array(&w, "profiles");
	for (size_t i = 0; (profile = profiles_at(call->profiles, i)); i++)
		if (is_shown(call, profile))
			put_profile(&w, profile);
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_profile_get(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	put_profile(&w, call->profile);
	return buf_check(&call->response->body, p);
}
