#include "acme/auth.h"

#include "acme/key_cache.h"
#include "acme/nonce.h"
#include "policy/scope.h"

void auth_free(struct auth *auth)
{
	jws_free(&auth->jws);
	jwk_free(&auth->jwk);
	jws_key_unref(auth->key);
	json_free(auth->payload);
	*auth = (struct auth){ 0 };
}

/* RFC 8555, 6.4: the string that the client was given, compared as a string. */
static bool check_url(const struct acme_call *call, const struct jws *jws, struct problem *p)
{
	const struct http_request *request = call->request;
	auto_value(buf) url = { 0 };
	buf_add_str(&url, request->base_url);
	buf_add_str(&url, request->path);
	if (request->has_query)
		buf_printf(&url, "?%s", request->query);
	if (!buf_check(&url, p))
		return false;
	if (!str_equal(jws->url, buf_text(&url)))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 6.4: the JWS url is not the request's, \"%s\"", buf_text(&url));
	return true;
}

/* The same words for what never was an id, for an id that is none, and for one of another directory. */
static bool refuse_unknown(struct problem *p)
{
	return problem_set(p, PROBLEM_ACCOUNT_DOES_NOT_EXIST, "RFC 8555, 6.2: there is no account of the JWS kid");
}

/* RFC 8555, 6.2: kid is the whole account URL, base and directory included. Its id, or NULL. */
static const char *read_kid(const struct acme_call *call, const char *kid, struct problem *p)
{
	auto_value(buf) prefix = { 0 };
	acme_url(call, &prefix, "account", "", NULL);
	if (!buf_check(&prefix, p))
		return NULL;
	if (str_starts(kid, buf_text(&prefix))) {
		if (random_id_valid(kid + prefix.len))
			return kid + prefix.len;
		refuse_unknown(p);
		return NULL;
	}
	problem_set(p, PROBLEM_MALFORMED,
	            "RFC 8555, 6.2: the JWS kid is no account URL of this directory, \"%sID\"",
	            buf_text(&prefix));
	return NULL;
}

struct account_view {
	const char *id;
	struct account *ret;
};

static bool view_account(struct store_txn *txn, void *arg, struct problem *p)
{
	struct account_view *view = arg;
	return store_account_get(txn, view->id, view->ret, p);
}

static bool find_account(struct acme_call *call, const char *kid, struct problem *p)
{
	const char *id = read_kid(call, kid, p);
	if (!id)
		return false;
	auto_value(account) account = { 0 };
	if (!store_view(call->acme->store, view_account, &(struct account_view){ id, &account }, p))
		return p->kind == PROBLEM_NOT_FOUND ? refuse_unknown(p) : false;
	if (!str_equal(account.directory, call->directory))
		return refuse_unknown(p);
	call->account = account;
	account = (struct account){ 0 };
	return true;
}

static bool use_account(struct acme_call *call, struct auth *auth, struct problem *p)
{
	if (!find_account(call, auth->jws.kid, p) || !key_cache_get(call->acme->keys, &call->account, &auth->key, p))
		return false;
	if (call->account.thumbprint.len != sizeof call->thumbprint)
		return problem_internal(p, "account %s has no thumbprint", call->account.id);
	memcpy(call->thumbprint, call->account.thumbprint.data, sizeof call->thumbprint);
	call->key = call->account.key;
	call->jwk = call->account.jwk;
	call->public_key = jws_key_public(auth->key);
	return true;
}

static bool use_jwk(struct acme_call *call, struct auth *auth, struct problem *p)
{
	if (!jwk_read(auth->jws.jwk, &auth->jwk, p))
		return false;
	memcpy(call->thumbprint, auth->jwk.thumbprint, sizeof call->thumbprint);
	call->key = buf_bytes(&auth->jwk.spki);
	call->jwk = buf_text(&auth->jwk.text);
	call->public_key = auth->jwk.key;
	return true;
}

static bool find_key(struct acme_call *call, enum acme_auth want, struct auth *auth, struct problem *p)
{
	bool by_jwk = auth->jws.jwk != NULL;
	if (by_jwk && want == ACME_KID)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 6.2: this request is signed by an account: \"kid\", not \"jwk\"");
	if (!by_jwk && want == ACME_JWK)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 6.2: this request names its key: \"jwk\", not \"kid\"");
	return by_jwk ? use_jwk(call, auth, p) : use_account(call, auth, p);
}

static bool verify(const struct acme_call *call, const struct auth *auth, struct problem *p)
{
	return auth->key ? jws_verify_known(&auth->jws, auth->key, p)
	                 : jws_verify(&auth->jws, call->public_key, p);
}

/* RFC 8555, 6.5: a nonce that came in a request is used up, whatever else is wrong with it; but a signature
 * first, so that nobody uses up another's. acme.sh retries on this very text. */
static bool use_nonce(const struct acme_call *call, const struct jws *jws, struct problem *p)
{
	if (!nonce_use(call->acme->nonces, jws->nonce))
		return problem_set(p, PROBLEM_BAD_NONCE, "JWS has an invalid anti-replay nonce");
	return true;
}

static bool check_status(const struct acme_call *call, struct problem *p)
{
	if (call->account.id[0] && call->account.status != ACCOUNT_VALID)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 8555, 7.3.6: the account is %s",
		                   account_status_name(call->account.status));
	if (!scope_admits(&call->account.scope, &call->request->peer))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the account is not for the address that this comes from");
	return true;
}

static bool read_payload(struct acme_call *call, enum acme_payload want, struct auth *auth, struct problem *p)
{
	struct bytes payload = buf_bytes(&auth->jws.payload);
	if (payload.len == 0) {
		if (want == ACME_OBJECT)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8555, 6.2: the payload must be a JSON object");
		return true;
	}
	if (want == ACME_EMPTY)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 6.3: this resource is read, with an empty payload");
	if (!json_parse(payload, &auth->payload, p))
		return false;
	if (!json_is_object(auth->payload))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 6.2: the payload must be a JSON object");
	call->payload = auth->payload;
	return true;
}

bool auth_verify(struct acme_call *call, enum acme_auth want, enum acme_payload payload, struct auth *auth,
                 struct problem *p)
{
	return jws_parse(call->request->body, JWS_REQUEST, &auth->jws, p) && find_key(call, want, auth, p) &&
	       verify(call, auth, p) && use_nonce(call, &auth->jws, p) && check_url(call, &auth->jws, p) &&
	       check_status(call, p) && read_payload(call, payload, auth, p);
}
