/* GET certificate-profiles, and one of them. */
#include "admin/api_call.h"
#include "admin/profile_json.h"

static bool is_shown(const struct api_call *call, const struct profile *profile)
{
	return profile_is_public(profile) && api_sees(call, profile->name);
}

bool api_profile_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	const struct profile *profile;

	json_open(&w, NULL);
	json_open_array(&w, "profiles");
	for (size_t i = 0; (profile = profiles_at(call->profiles, i)); i++)
		if (is_shown(call, profile))
			profile_put(&w, profile, false);
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_profile_get(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	profile_put(&w, call->profile, true);
	return buf_check(&call->response->body, p);
}
