#include "acme/actions.h"
#include "acme/challenge.h"
#include "acme/star.h"

static const struct resource {
	const char *name, *path;
} resources[] = {
	{ "newNonce", "new-nonce" },
	{ "newAccount", "new-account" },
	{ "newOrder", "new-order" },
	{ "newAuthz", "new-authz" },
	{ "revokeCert", "revoke-cert" },
	{ "keyChange", "key-change" },
	{ "renewalInfo", "renewal-info" }, /* RFC 9773, 4.1 */
};

static bool is_url(const char *text)
{
	return str_starts(text, "https://") || str_starts(text, "http://") || str_starts(text, "data:");
}

/* The profiles draft, 3: the value is a URL of a description; words become one that holds them. */
static void put_profile(struct json_writer *w, const struct profile *profile)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	auto_value(buf) url = { 0 };
	if (is_url(profile->description)) {
		json_put(w, profile->name, profile->description);
		return;
	}
	buf_add_str(&url, "data:text/plain;charset=utf-8,");
	for (const char *c = profile->description; *c; c++)
		buf_printf(&url, strchr(plain, *c) ? "%c" : "%%%02X", (unsigned char)*c);
	json_put_buf(w, profile->name, &url);
}

static void put_profiles(struct json_writer *w, const struct acme_call *call)
{
	const struct profile *profile;
	json_open(w, "profiles");
	for (size_t i = 0; (profile = profiles_at(call->profiles, i)); i++)
		if (profiles_offer(call->profiles, call->directory, profile))
			put_profile(w, profile);
	json_close(w);
}

/* draft-ietf-acme-dns-persist-02, 3.2 and 4.1 */
static void put_persist(struct json_writer *w, const struct acme_call *call)
{
	auto_value(buf) prefix = { 0 };
	if (!(call->acme->options.challenges & ACME_DNS_PERSIST_01))
		return;
	issuer_names_write(call->acme, w, "issuerDomainNames");
	acme_url(call, &prefix, "account-hash", "", NULL);
	json_put_buf(w, "accountHashPrefix", &prefix);
}

static void put_meta(struct json_writer *w, const struct acme_call *call)
{
	const struct acme_options *options = &call->acme->options;
	const struct strings *caa = options->caa_identities;
	json_open(w, "meta");
	json_put(w, "termsOfService", options->terms_of_service);
	json_put(w, "website", options->website);
	if (caa && caa->n > 0)
		json_put_strings(w, "caaIdentities", caa);
	json_put_bool(w, "externalAccountRequired", call->profile->eab_required);
	if (call->profile->subdomains != PROFILE_SUBDOMAINS_NONE)
		json_put_bool(w, "subdomainAuthAllowed", true); /* RFC 9444, 4.4 */
	star_write_meta(w, call->profile);
	put_profiles(w, call);
	put_persist(w, call);
	json_close(w);
}

bool acme_directory_get(struct acme_call *call, struct problem *p)
{
	auto_value(buf) url = { 0 };
	struct json_writer w = acme_reply(call, 200);
	json_open(&w, NULL);
	for (size_t i = 0; i < array_length(resources); i++) {
		if (call->profile->acme.no_preauthorization && str_equal(resources[i].name, "newAuthz"))
			continue;
		buf_clear(&url);
		acme_url(call, &url, resources[i].path, NULL, NULL);
		json_put_buf(&w, resources[i].name, &url);
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
