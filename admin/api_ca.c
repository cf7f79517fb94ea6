/* The CAs: GET, disable, enable. */
#include "admin/api_call.h"
#include "admin/ca_facts.h"
#include "ca/files.h"

static struct ca_place place_of(const struct api_call *call)
{
	const struct api *api = call->api;

	return (struct ca_place){ ca_folder(api->ca), api->ca_base, api->options.crls };
}

static bool put(const struct api_call *call, const char *name, struct json_writer *w, struct problem *p)
{
	const struct ca_place place = place_of(call);
	auto_value(ca_facts) facts = {0};

	return ca_facts_read(&place, call->api->store, name, &facts, p) &&
	       ca_facts_put(w, &place, "id", &facts, true, p);
}

static bool put_issuers(const struct api_call *call, struct json_writer *w, struct problem *p)
{
	const struct issuer *issuer;

	for (size_t i = 0; (issuer = ca_issuer_at(call->api->ca, i)); i++)
		if (!put(call, issuer_name(issuer), w, p))
			return false;
	return true;
}

static bool put_others(const struct api_call *call, struct json_writer *w, struct problem *p)
{
	auto_value(strings) names = {0};

	if (!files_names(ca_folder(call->api->ca), &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!ca_issuer(call->api->ca, names.v[i]) && !put(call, names.v[i], w, p))
			return false;
	return true;
}

bool api_issuer_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_open_array(&w, "issuers");
	if (!put_issuers(call, &w, p))
		return false;
	json_close(&w);
	json_open_array(&w, "others");
	if (!put_others(call, &w, p))
		return false;
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

static bool reply_with(struct api_call *call, const char *name, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	return put(call, name, &w, p) && buf_check(&call->response->body, p);
}

static bool find(const struct api_call *call, const char **ret, struct problem *p)
{
	*ret = call->request->captures[0];
	return ca_facts_has(ca_folder(call->api->ca), *ret) ||
	       problem_set(p, PROBLEM_NOT_FOUND, "there is no CA %s", *ret);
}

bool api_issuer_get(struct api_call *call, struct problem *p)
{
	const char *name;

	return find(call, &name, p) && reply_with(call, name, p);
}

static bool set(struct api_call *call, bool disable, struct problem *p)
{
	const char *name;
	const struct actor actor = api_actor(call);

	return find(call, &name, p) && ca_switch(call->api->store, name, disable, &actor, p) &&
	       reply_with(call, name, p);
}

bool api_issuer_disable(struct api_call *call, struct problem *p)
{
	return set(call, true, p);
}

bool api_issuer_enable(struct api_call *call, struct problem *p)
{
	return set(call, false, p);
}
