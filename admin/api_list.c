/* GET certificates, and those of a profile. */
#include "admin/api_search.h"

static bool list(struct api_call *call, const char *profile, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	json_open(&w, NULL);
	if (!api_search(call, profile, &w, p))
		return false;
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_certificate_list(struct api_call *call, struct problem *p)
{
	return list(call, NULL, p);
}

bool api_profile_certificates(struct api_call *call, struct problem *p)
{
	return list(call, call->profile->name, p);
}
