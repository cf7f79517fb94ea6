#include "acme/actions.h"

static const struct resource {
	const char *name, *path;
} resources[] = {
	{ "newNonce", "new-nonce" },
	{ "newAccount", "new-account" },
	{ "newOrder", "new-order" },
	{ "newAuthz", "new-authz" },
	{ "revokeCert", "revoke-cert" },
	{ "keyChange", "key-change" },
};

static void put_meta(struct json_writer *w, const struct acme_call *call)
{
	const struct acme_options *options = &call->acme->options;
	const struct strings *caa = options->caa_identities;
	json_open(w, "meta");
	json_put(w, "termsOfService", options->terms_of_service);
	json_put(w, "website", options->website);
	if (caa && caa->n > 0) {
		json_open_array(w, "caaIdentities");
		for (size_t i = 0; i < caa->n; i++)
			json_put(w, NULL, caa->v[i]);
		json_close(w);
	}
	json_put_bool(w, "externalAccountRequired", call->profile->eab_required);
	json_close(w);
}

bool acme_directory_get(struct acme_call *call, struct problem *p)
{
	auto_value(buf) url = { 0 };
	struct json_writer w = acme_reply(call, 200);
	json_open(&w, NULL);
	for (size_t i = 0; i < array_length(resources); i++) {
		buf_clear(&url);
		acme_url(call, &url, resources[i].path, NULL, NULL);
		json_put(&w, resources[i].name, buf_text(&url));
	}
	put_meta(&w, call);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

/* The nonce itself is added with the headers of the reply (acme/routes.c). */
bool acme_nonce_get(struct acme_call *call, struct problem *p)
{
	(void)p;
	call->response->status = call->request->method == HTTP_HEAD ? 200 : 204;
	return true;
}
