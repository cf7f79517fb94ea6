#include "acme/account.h"
#include "acme/actions.h"
#include "acme/event.h"
#include "acme/jwk.h"
#include "acme/jws.h"
#include "base/digest.h"
#include "policy/key.h"

enum { FORMER_MAX = 1000 };

/* A rollover (RFC 8555, 7.3.5) in the making. */
struct rollover {
	struct jws inner;
	struct jwk new_key;
	struct json *payload;         /* the keyChange object */
	struct account changed;
	struct buf former;            /* the thumbprints it had before */
	char taken_by[RANDOM_ID_SIZE]; /* the account that has the new key already */
	struct acme_call *call;
};

static void rollover_free(struct rollover *rollover)
{
	jws_free(&rollover->inner);
	jwk_free(&rollover->new_key);
	json_free(rollover->payload);
	account_free(&rollover->changed);
	buf_free(&rollover->former);
}
declare_auto_value(rollover, rollover_free);

/* Steps 2 to 4 and 6. */
static bool check_inner(struct rollover *r, struct problem *p)
{
	auto_value(buf) url = { 0 };
	buf_printf(&url, "%s%s", r->call->request->base_url, r->call->request->path);
	if (!buf_check(&url, p) || !jws_read(r->call->payload, JWS_KEY_CHANGE, &r->inner, p) ||
	    !jwk_read(r->inner.jwk, &r->new_key, p) || !jws_verify(&r->inner, r->new_key.key, p))
		return false;
	if (!str_equal(r->inner.url, buf_text(&url)))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.3.5: the inner JWS must have the url of the outer one");
	return key_check(r->new_key.key, profiles_blocklist(r->call->profiles), p);
}

static bool check_old_key(const struct rollover *r, struct problem *p)
{
	auto_value(jwk) old = { 0 };
	if (!jwk_read(json_member(r->payload, "oldKey"), &old, p))
		return false;
	if (memcmp(old.thumbprint, r->call->thumbprint, sizeof old.thumbprint) != 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.3.5: \"oldKey\" is not the account's key");
	return true;
}

/* Steps 5, 7 and 8. */
static bool check_object(struct rollover *r, struct problem *p)
{
	auto_value(buf) url = { 0 };
	acme_url(r->call, &url, "account", r->call->account.id, NULL);
	if (!buf_check(&url, p) || !json_parse(buf_bytes(&r->inner.payload), &r->payload, p))
		return false;
	const char *account = json_member_string(r->payload, "account");
	if (!account || !json_member(r->payload, "oldKey"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.3.5: a keyChange object has \"account\" and \"oldKey\"");
	if (!str_equal(account, buf_text(&url)))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.3.5: \"account\" is not the URL of the account that signed the "
		                   "request");
	return check_old_key(r, p);
}

/* Step 9. An account's own key is taken too: by itself. */
static bool check_free(struct store_txn *txn, struct rollover *r, struct problem *p)
{
	auto_value(account) other = { 0 };
	struct bytes thumbprint = BYTES(r->new_key.thumbprint, sizeof r->new_key.thumbprint);
	if (!store_account_by_key(txn, r->call->directory, thumbprint, &other, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	memcpy(r->taken_by, other.id, sizeof r->taken_by);
	return problem_set(p, PROBLEM_CONFLICT, "RFC 8555, 7.3.5: an account has the new key already");
}

static bool tell_rolled(struct store_txn *txn, const struct rollover *r, struct problem *p)
{
	auto_value(buf) old = { 0 }, new = { 0 };
	buf_add_base64url(&old, r->call->account.thumbprint);
	buf_add_base64url(&new, r->changed.thumbprint);
	const struct audit_fact facts[] = {
		audit_text("oldThumbprint", buf_text(&old)), audit_text("thumbprint", buf_text(&new)), { 0 },
	};
	return buf_check(&old, p) && buf_check(&new, p) &&
	       event_account(txn, r->call, AUDIT_ACCOUNT_KEY_CHANGED, r->call->account.id, facts, p);
}

/* draft-ietf-acme-dns-persist-02, 4.2: records that were made with a former key go on to hold. */
static bool keep_thumbprint(struct rollover *r, struct problem *p)
{
	struct bytes former = r->changed.former_thumbprints;
	if (!(r->call->acme->options.challenges & ACME_DNS_PERSIST_01))
		return true;
	if (former.len / SHA256_SIZE >= FORMER_MAX)
		former = BYTES(former.data + SHA256_SIZE, former.len - SHA256_SIZE);
	buf_clear(&r->former);
	buf_add(&r->former, former.data, former.len);
	buf_add(&r->former, r->changed.thumbprint.data, r->changed.thumbprint.len);
	r->changed.former_thumbprints = buf_bytes(&r->former);
	return buf_check(&r->former, p);
}

/* The account is read again: it may have been deactivated, or given another key, since this
 * request was verified. */
static bool roll(struct store_txn *txn, void *arg, struct problem *p)
{
	struct rollover *r = arg;
	account_free(&r->changed);
	r->taken_by[0] = '\0';
	if (!store_account_get(txn, r->call->account.id, &r->changed, p) || !check_free(txn, r, p))
		return false;
	if (r->changed.status != ACCOUNT_VALID || !bytes_equal(r->changed.thumbprint, r->call->account.thumbprint))
		return problem_set(p, PROBLEM_UNAUTHENTICATED,
		                   "RFC 8555, 7.3.5: the key that signed the request is the account's no more");
	if (!keep_thumbprint(r, p))
		return false;
	r->changed.key = buf_bytes(&r->new_key.spki);
	r->changed.jwk = buf_text(&r->new_key.text);
	r->changed.thumbprint = BYTES(r->new_key.thumbprint, sizeof r->new_key.thumbprint);
	return store_account_put(txn, &r->changed, p) && tell_rolled(txn, r, p);
}

static bool add_location(const struct rollover *r, struct problem *p)
{
	auto_value(buf) url = { 0 };
	if (p->kind == PROBLEM_CONFLICT && r->taken_by[0]) {
		acme_url(r->call, &url, "account", r->taken_by, NULL);
		snprintf(p->location, sizeof p->location, "%s", buf_text(&url));
	}
	return false;
}

bool acme_key_change(struct acme_call *call, struct problem *p)
{
	auto_value(rollover) r = { .call = call };
	if (!check_inner(&r, p) || !check_object(&r, p))
		return false;
	if (!store_update(call->acme->store, roll, &r, p))
		return add_location(&r, p);
	return acme_account_reply(call, &r.changed, 200, p);
}
