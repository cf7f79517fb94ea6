#include "acme/eab.h"

#include "acme/jwk.h"
#include "acme/jws.h"

void eab_binding_free(struct eab_binding *binding)
{
	buf_free(&binding->kid);
	buf_free(&binding->json);
	eab_free(&binding->key);
}

static bool refused(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.3.4: the external account key %s", why);
}

static bool check_usable(const struct eab *eab, const char *directory, int64_t now, struct problem *p)
{
	if (eab->revoked)
		return refused(p, "was revoked");
	if (eab->expires && eab->expires <= now)
		return refused(p, "has expired");
	if (eab->uses_max && eab->uses >= eab->uses_max)
		return refused(p, "is used up");
	if (!scope_opens(&eab->scope, directory))
		return refused(p, "is not for this directory");
	return true;
}

static bool get(struct store_txn *txn, const char *kid, struct eab *ret, struct problem *p)
{
	return store_eab_get(txn, kid, ret, p) || (problem_forgive(p, PROBLEM_NOT_FOUND) && refused(p, "is not known"));
}

struct eab_view {
	const char *kid;
	struct eab *ret;
};

static bool view_eab(struct store_txn *txn, void *arg, struct problem *p)
{
	struct eab_view *view = arg;
	return get(txn, view->kid, view->ret, p);
}

/* The MAC is checked before the key's state is told: who has no key learns nothing of it. */
static bool check_mac(const struct acme_call *call, const struct jws *jws, struct eab *ret, struct problem *p)
{
	auto_value(buf) context = { 0 }, key = { 0 };
	if (!store_view(call->acme->store, view_eab, &(struct eab_view){ jws->kid, ret }, p))
		return false;
	buf_printf(&context, "eab %s", jws->kid);
	if (!buf_check(&context, p))
		return false;
	if (!seal_reveal(store_seal(call->acme->store), buf_text(&context), ret->sealed_key, &key))
		return problem_internal(p, "external account key %s does not unseal", ret->kid);
	if (!jws_verify_mac(jws, buf_bytes(&key), p) || !check_usable(ret, call->directory, call->now, p))
		return false;
	return scope_admits(&ret->scope, &call->request->peer) ||
	       refused(p, "is not for the address that this comes from");
}

static bool check_key(const struct acme_call *call, const struct jws *jws, struct problem *p)
{
	auto_struct(json) *payload = NULL;
	auto_value(jwk) jwk = { 0 };
	if (!json_parse(buf_bytes(&jws->payload), &payload, p) || !jwk_read(payload, &jwk, p))
		return false;
	if (memcmp(jwk.thumbprint, call->thumbprint, sizeof jwk.thumbprint) != 0)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 7.3.4: the binding is not of the key that signed the request");
	return true;
}

/* check_url of acme/auth.c has shown that the request's url is the outer JWS's. */
static bool check_url(const struct acme_call *call, const struct jws *jws, struct problem *p)
{
	auto_value(buf) url = { 0 };
	buf_printf(&url, "%s%s", call->request->base_url, call->request->path);
	if (!buf_check(&url, p))
		return false;
	if (!str_equal(jws->url, buf_text(&url)))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 7.3.4: the binding's url is not that of the request");
	return true;
}

static bool copy(const struct json *object, const struct jws *jws, struct eab_binding *ret, struct problem *p)
{
	static const char *const members[] = { "protected", "payload", "signature" };
	struct json_writer w = json_writer(&ret->json);
	json_open(&w, NULL);
	for (size_t i = 0; i < array_length(members); i++)
		json_put(&w, members[i], json_member_string(object, members[i]));
	json_close(&w);
	buf_add_str(&ret->kid, jws->kid);
	return buf_check(&ret->json, p) && buf_check(&ret->kid, p);
}

bool eab_verify(const struct acme_call *call, const struct json *object, struct eab_binding *ret, struct problem *p)
{
	auto_value(jws) jws = { 0 };
	return jws_read(object, JWS_BINDING, &jws, p) && check_url(call, &jws, p) &&
	       check_mac(call, &jws, &ret->key, p) &&
	       check_key(call, &jws, p) && copy(object, &jws, ret, p);
}

bool eab_use(struct store_txn *txn, const char *kid, const char *directory, int64_t now, struct problem *p)
{
	auto_value(eab) eab = { 0 };
	if (!get(txn, kid, &eab, p) || !check_usable(&eab, directory, now, p))
		return false;
	eab.uses++;
	return store_eab_put(txn, &eab, p);
}
