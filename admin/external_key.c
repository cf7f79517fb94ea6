#include "admin/external_key.h"

#include "admin/credential.h"
#include "admin/scope.h"
#include "base/random.h"

/* Long enough for HS512 (RFC 7518, 3.2). */
enum { KEY_BYTES = 64 };

void external_key_free(struct external_key *key)
{
	buf_free(&key->sealed);
	buf_free(&key->key);
}

/* --- made */

/* Clients take it on their command lines, as the id, where a value must not look like an option. */
static bool make_key(uint8_t ret[KEY_BYTES], struct buf *ret_text, struct problem *p)
{
	do {
		buf_clear(ret_text);
		if (!random_bytes(ret, KEY_BYTES, p))
			return false;
		buf_add_base64url(ret_text, BYTES(ret, KEY_BYTES));
	} while (buf_text(ret_text)[0] == '-');
	return buf_check(ret_text, p);
}

static bool seal_key(struct store *store, struct external_key *made, struct problem *p)
{
	uint8_t key[KEY_BYTES];
	auto_free char *context = mem_printf("eab %s", made->kid);

	if (!context)
		return problem_memory(p);
	bool ok = make_key(key, &made->key, p) &&
	          seal_close(store_seal(store), context, BYTES(key, sizeof(key)), &made->sealed, p);
	mem_wipe(key, sizeof(key));
	return ok;
}

struct making {
	const struct eab *eab;
	const struct actor *actor;
};

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct making *making = arg;
	const struct eab *eab = making->eab;
	const struct audit_fact facts[] = {
		audit_text("eab", eab->kid),
		audit_text("note", eab->note),
		audit_texts("profiles", eab->scope.profiles),
		audit_texts("names", eab->scope.names),
		audit_texts("authorized", eab->scope.authorized),
		audit_texts("networks", eab->scope.networks),
		audit_integer("quota", eab->scope.quota),
		audit_integer("quotaPeriod", eab->scope.quota_period),
		audit_integer("quotaTotal", eab->scope.quota_total),
		audit_time("expires", eab->expires),
		audit_integer("usesMax", eab->uses_max),
		{ 0 },
	};

	return store_eab_put(txn, eab, p) && actor_tell(txn, AUDIT_EAB_CREATED, making->actor, facts, p);
}

bool external_key_make(struct store *store, const struct eab *wish, const struct actor *actor, struct external_key *ret,
                       struct problem *p)
{
	struct making making = { &ret->row, actor };

	if (!credential_id(ret->kid, p) || !seal_key(store, ret, p))
		return false;
	ret->row = (struct eab){
		.kid = ret->kid, .sealed_key = buf_bytes(&ret->sealed), .note = wish->note, .scope = wish->scope,
		.created = actor->now, .expires = wish->expires, .uses_max = wish->uses_max,
	};
	return store_update(store, put, &making, p);
}

/* --- found, ended */

bool external_key_find(struct store_txn *txn, const char *kid, struct eab *ret, struct problem *p)
{
	return (random_id_valid(kid) && store_eab_get(txn, kid, ret, p)) ||
	       problem_missing(p, "there is no external account key %s", kid);
}

struct revoking {
	const char *kid;
	const struct actor *actor;
	struct eab *ret;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct revoking *r = arg;

	eab_free(r->ret);
	*r->ret = (struct eab){0};
	if (!external_key_find(txn, r->kid, r->ret, p))
		return false;
	if (r->ret->revoked)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "external account key %s is revoked already", r->kid);
	r->ret->revoked = true;
	const struct audit_fact facts[] = { audit_text("eab", r->kid), audit_text("note", r->ret->note), { 0 } };
	return store_eab_put(txn, r->ret, p) && actor_tell(txn, AUDIT_EAB_REVOKED, r->actor, facts, p);
}

bool external_key_revoke(struct store *store, const char *kid, const struct actor *actor, struct eab *ret,
                         struct problem *p)
{
	struct revoking revoking = { kid, actor, ret };

	return store_update(store, revoke, &revoking, p);
}

/* --- shown */

const char *external_key_status(const struct eab *eab, int64_t now)
{
	if (eab->revoked)
		return "revoked";
	if (eab->expires && eab->expires <= now)
		return "expired";
	return eab->uses_max && eab->uses >= eab->uses_max ? "used up" : "valid";
}

void external_key_json(const struct eab *eab, const char *key, int64_t now, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "kid", eab->kid);
	json_put(&w, "key", key);
	json_put(&w, "status", external_key_status(eab, now));
	json_put(&w, "note", eab->note);
	scope_put(&w, &eab->scope);
	json_put_time(&w, "created", eab->created);
	json_put_time(&w, "expires", eab->expires);
	json_put_integer(&w, "uses", eab->uses);
	if (eab->uses_max)
		json_put_integer(&w, "usesMax", eab->uses_max);
	json_close(&w);
}
