#include "admin/kept_key.h"

#include "admin/certificate.h"
#include "ca/vault.h"

struct opening {
	const char *text, *as;
	struct actor actor;
	struct certificate *row;
	struct private_key key;
};

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct opening *o = arg;

	if (!certificate_find(txn, o->text, o->row, p))
		return false;
	return (o->row->key_kept && store_private_key_get(txn, o->row->key_hash, &o->key, p)) ||
	       problem_missing(p, "the server does not keep the private key of certificate %s", o->row->id);
}

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct opening *o = arg;
	const struct audit_fact facts[] = {
		audit_text("certificate", o->row->id),
		audit_hex("keyHash", o->row->key_hash),
		audit_text("as", o->as),
		{ 0 },
	};

	return actor_tell(txn, AUDIT_PRIVATE_KEY_READ, &o->actor, facts, p);
}

bool kept_key_read(const struct admin *admin, struct store *store, const char *text, const char *as,
                   struct certificate *ret, EVP_PKEY **ret_key, struct problem *p)
{
	char name[ADMIN_ACTOR_SIZE];
	struct opening o = { .text = text, .as = as, .actor = admin_actor_now(name), .row = ret };
	auto_struct(vault) *vault = NULL;
	auto(EVP_PKEY) *key = NULL;
	bool done = vault_open(store, admin->key_file, &vault, p) && store_view(store, find, &o, p) &&
	            vault_reveal(vault, ret->key_hash, &o.key, &key, p) && store_update(store, tell, &o, p);

	private_key_free(&o.key);
	if (done)
		*ret_key = steal(key);
	return done;
}
