#include "ca/root_list.h"

#include "base/clock.h"
#include "base/file.h"
#include "ca/files.h"
#include "store/audit.h"

struct telling {
	const char *name, *actor;
	const struct crl *crl;
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct telling *t = arg;
	const struct audit_fact facts[] = {
		audit_text("ca", t->name), audit_integer("number", t->crl->number),
		audit_integer("entries", (int64_t)t->crl->count), audit_time("nextUpdate", t->crl->next_update), { 0 },
	};

	return store_audit_add(txn, &(struct audit_event){ AUDIT_CRL_MADE, t->now, t->actor, NULL, facts }, p);
}

bool root_list_make(const struct life *life, struct store *store, const char *name, int64_t lifetime, const char *actor,
                    struct crl **ret, struct problem *p)
{
	auto_struct(issuer) *issuer = NULL;
	auto_value(crl_set) set = { 0 };
	auto_free char *path = mem_printf("%s/%s.crl", life->folder, name);
	const struct issuer_urls urls = { .base = life->base };
	const struct crls_options options = { .lifetime = lifetime, .interval = 1 };

	if (!path)
		return problem_memory(p);
	if (!issuer_load(life->folder, name, life->passphrase, &urls, &issuer, p) ||
	    !crl_set_make(&options, store, issuer, &set, p))
		return false;
	struct telling telling = { name, actor, set.complete[0], clock_now() };
	if ((actor && !store_update(store, tell, &telling, p)) ||
	    !file_write(path, buf_bytes(&set.complete[0]->der), 0600, p))
		return false;
	*ret = steal(set.complete[0]);
	return true;
}

bool root_list_names(const struct life *life, struct strings *ret, struct problem *p)
{
	auto_value(strings) names = { 0 };
	bool is_root;

	if (!files_names(life->folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (!life_is_root(life, names.v[i], &is_root, p))
			return false;
		if (is_root && files_has(life->folder, names.v[i], ".key") && !strings_add(ret, names.v[i]))
			return problem_memory(p);
	}
	return true;
}

/* The first list of a root, which says nothing: part of what made the root, and told with that. */
static bool make_first(const struct life *life, struct store *store, const char *name, struct problem *p)
{
	auto_struct(crl) *crl = NULL;

	return files_has(life->folder, name, ".crl") ||
	       root_list_make(life, store, name, ROOT_LIST_LIFETIME, NULL, &crl, p);
}

bool root_list_missing(const struct life *life, bool *ret, struct problem *p)
{
	auto_value(strings) roots = { 0 };
	bool missing = false;

	if (!root_list_names(life, &roots, p))
		return false;
	for (size_t i = 0; i < roots.n; i++)
		missing |= !files_has(life->folder, roots.v[i], ".crl");
	*ret = missing;
	return true;
}

bool root_list_complete(const struct life *life, struct store *store, struct problem *p)
{
	auto_value(strings) roots = { 0 };

	if (!root_list_names(life, &roots, p))
		return false;
	for (size_t i = 0; i < roots.n; i++)
		if (!make_first(life, store, roots.v[i], p))
			return false;
	return true;
}
