/* POST certificates/import: a certificate of another CA enters the inventory. */
#include "admin/api_ask.h"
#include "admin/certificate.h"
#include "base/ossl.h"
#include "ca/foreign.h"
#include "ca/vault.h"

struct importing {
	const struct api_call *call;
	struct certificate row;
	struct record_list metadata;
	struct buf sealed;             /* empty: there is no key */
	struct private_key key;
};

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	struct importing *i = arg;

	return foreign_add(txn, &i->row, identity_text(i->call->identity), i->call->from, p) &&
	       (i->sealed.len == 0 || store_private_key_put(txn, i->row.key_hash, &i->key, p));
}

static bool read_certificate(const struct api_call *call, struct importing *i, struct problem *parts)
{
	const char *profile = json_member_string(call->body, "profileId") ?: "";
	auto_value(buf) der = {0};
	auto_value(problem) why = {0};

	if (*profile && !profiles_find(call->profiles, profile))
		problem_add_field(parts, PROBLEM_NOT_FOUND, "profileId", profile, "there is no such profile");
	if (!ossl_from_pem("CERTIFICATE", BYTES_STR(json_member_string(call->body, "certificate")), &der, &why) ||
	    !foreign_row(buf_bytes(&der), profile, identity_text(call->identity), call->now, &i->row, &why))
		return api_gather(parts, &why, "certificate");
	return true;
}

static bool read_key(const struct api_call *call, struct importing *i, struct problem *parts)
{
	const char *text = json_member_string(call->body, "privateKey");
	auto(EVP_PKEY) *key = NULL;
	auto_value(problem) why = {0};
	uint8_t hash[32];

	if (!text)
		return true;
	if (!vault_read_pem(text, &key, &why) ||
	    !vault_close(call->api->vault, key, call->now, &i->sealed, hash, &i->key, &why))
		return api_gather(parts, &why, "privateKey");
	i->row.key_kept = bytes_equal(i->row.key_hash, BYTES(hash, sizeof(hash)));
	return i->row.key_kept ||
	       problem_add_field(parts, PROBLEM_MALFORMED, "privateKey", NULL, "is not the key of the certificate");
}

/* One of no profile is seen by those who see all, so they alone can bring it in. */
static bool may_import(const struct api_call *call, struct problem *p)
{
	const char *profile = json_member_string(call->body, "profileId") ?: "";

	if (*profile)
		return identity_may(call->identity, TOKEN_ADMIN, profile, p);
	return identity_everywhere(call->identity) || problem_set(p, PROBLEM_UNAUTHORIZED,
	                                                          "the token is for some profiles alone: "
	                                                          "`profileId` must be one of them");
}

bool api_certificate_import(struct api_call *call, struct problem *p)
{
	struct importing importing = { .call = call };
	auto_value(problem) parts = {0};

	if (!may_import(call, p))
		return false;
	(void)(read_certificate(call, &importing, &parts) && read_key(call, &importing, &parts) &&
	       api_ask_metadata(call->body, &importing.metadata, &parts));
	bool done = api_settle(&parts, p);
	importing.row.metadata = importing.metadata;
	done = done && store_update(call->api->store, put, &importing, p);
	if (done) {
		api_reply(call, 200);
		certificate_json(&importing.row, true, &call->response->body);
	}
	certificate_free(&importing.row);
	buf_free(&importing.sealed);
	free(importing.metadata.v);
	return done && buf_check(&call->response->body, p);
}
