/* Private keys that the server keeps: read, exported with their certificate, forgotten. Each time is in the audit log
 * before a byte of the key leaves. */
#include "admin/api_routes.h"
#include "admin/certificate.h"
#include "admin/managed.h"
#include "ca/pkcs12.h"

struct opening {
	const struct api_call *call;
	const char *how;              /* "pem", "pkcs12", ... */
};

static bool tell(struct store_txn *txn, const struct api_call *call, enum audit_kind kind, const char *how,
                 struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("certificate", call->certificate.id),
		audit_hex("keyHash", call->certificate.key_hash),
		audit_text("as", how),
		{ 0 },
	};

	return store_audit_add(
		txn, &(struct audit_event){ kind, call->now, identity_text(call->identity), call->from, facts }, p);
}

static bool put_read(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct opening *o = arg;

	return identity_spend(txn, o->call->identity, o->call->now, p) &&
	       tell(txn, o->call, AUDIT_PRIVATE_KEY_READ, o->how, p);
}

static bool open_key(struct api_call *call, const char *how, EVP_PKEY **ret, struct problem *p)
{
	struct opening opening = { call, how };
	auto(EVP_PKEY) *key = NULL;

	if (!call->certificate.key_kept)
		return problem_set(p, PROBLEM_NOT_FOUND,
		                   "the server does not keep the private key of certificate %s",
		                   call->certificate.id);
	if (!managed_key(call->api, call->certificate.key_hash, &key, p) ||
	    !store_update(call->api->store, put_read, &opening, p))
		return false;
	*ret = steal(key);
	return true;
}

bool api_key_get(struct api_call *call, struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;
	auto_value(buf) pem = {0}, hex = {0};

	if (!open_key(call, "json", &key, p) || !vault_pem(key, NULL, &pem, p))
		return false;
	struct json_writer w = api_reply(call, 200);
	buf_add_hex(&hex, call->certificate.key_hash);
	json_open(&w, NULL);
	json_put_buf(&w, "privateKey", &pem);
	json_put(&w, "certificateId", call->certificate.id);
	json_put_buf(&w, "keyHash", &hex);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

static struct bytes chain_of(const struct api_call *call)
{
	const char *id = call->certificate.issuer;
	const struct issuer *issuer = id && *id ? ca_issuer(call->api->ca, id) : NULL;

	return issuer ? issuer_chain_pem(issuer, 0) : BYTES(NULL, 0);
}

/* As servers read it: key, certificate, chain. */
bool api_key_pem(struct api_call *call, struct problem *p)
{
	struct buf *body = &call->response->body;
	auto(EVP_PKEY) *key = NULL;

	if (!open_key(call, "pem", &key, p) || !vault_pem(key, json_member_string(call->body, "password"), body, p))
		return false;
	call->response->status = 200;
	call->response->content_type = call->route->content;
	ossl_pem("CERTIFICATE", call->certificate.der, body);
	buf_add(body, chain_of(call).data, chain_of(call).len);
	return buf_check(body, p);
}

bool api_key_pkcs12(struct api_call *call, struct problem *p)
{
	struct pkcs12_parts parts = {
		.certificate = call->certificate.der,
		.chain = chain_of(call),
		.password = json_member_string(call->body, "password"),
		.alias = json_member_string(call->body, "alias") ?: certificate_alias(&call->certificate),
	};
	auto(EVP_PKEY) *key = NULL;

	(void)!json_bool(json_member(call->body, "legacy"), &parts.legacy);
	if (!open_key(call, parts.legacy ? "pkcs12-legacy" : "pkcs12", &key, p))
		return false;
	parts.key = key;
	call->response->status = 200;
	call->response->content_type = call->route->content;
	http_response_header(call->response, "Content-Disposition", "attachment; filename=\"certificate.p12\"");
	return pkcs12_make(&parts, &call->response->body, p) && buf_check(&call->response->body, p);
}

/* --- forgetting */

/* All certificates of the key learn of it: they are the same certificate renewed. */
static bool forget_rows(struct store_txn *txn, const struct api_call *call, struct problem *p)
{
	auto_value(buf) hex = {0};
	char next[STORE_CURSOR_SIZE] = "";

	buf_add_hex(&hex, call->certificate.key_hash);
	if (!buf_check(&hex, p))
		return false;
	do {
		auto_value(store_page) page = {0};
		if (!store_certificate_list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), next, API_PAGE_MAX, &page, p))
			return false;
		for (size_t i = 0; i < page.ids.n; i++)
			if (!store_certificate_key_forgotten(txn, page.ids.v[i], p))
				return false;
		memcpy(next, page.next, sizeof(next));
	} while (next[0]);
	return true;
}

static bool forget(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct api_call *call = arg;

	return forget_rows(txn, call, p) && store_private_key_delete(txn, call->certificate.key_hash, p) &&
	       tell(txn, call, AUDIT_PRIVATE_KEY_DELETED, NULL, p);
}

bool api_key_delete(struct api_call *call, struct problem *p)
{
	if (!call->certificate.key_kept)
		return problem_set(p, PROBLEM_NOT_FOUND,
		                   "the server does not keep the private key of certificate %s",
		                   call->certificate.id);
	if (!store_update(call->api->store, forget, call, p))
		return false;
	call->response->status = 204;
	return true;
}
