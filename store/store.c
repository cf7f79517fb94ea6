#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "store/audit_inside.h"
#include "store/folder.h"
#include "store/group.h"
#include "store/upgrade.h"

enum { SEAL_KEY_MAX = 4096 };

struct store {
	struct kv *kv;
	struct group *group;
	struct seal *seal;
	struct audit_keeper audit;
	char *folder;   /* NULL: the engine is the caller's own */
	int lock_fd;    /* -1: not held */
};

/* A function of the store that called the store again could wait for itself for ever. */
static _Thread_local bool inside;

/* --- schema version --- */

static void version_key(struct key *key)
{
	key_begin(key, KEY_META);
	key_add_text(key, "schema");
}

struct version_reading {
	bool any;         /* the store has some key */
	bool found;
	bool upgrading;   /* it was begun */
	uint32_t version;
};

static bool any_key(void *arg, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	*(bool *)arg = true;
	return false;
}

static bool version_get(struct store_txn *txn, void *arg, struct problem *p)
{
	struct version_reading *r = arg;
	struct bytes value;
	struct key key;

	version_key(&key);
	*r = (struct version_reading){0};
	kv_scan(txn->kv, BYTES(NULL, 0), BYTES(NULL, 0), any_key, &r->any);
	r->upgrading = upgrade_is_open(txn);
	if (kv_get(txn->kv, key_bytes(&key), &value)) {
		if (value.len != sizeof(r->version))
			return problem_internal(p, "the store's schema version cannot be read");
		r->found = true;
		r->version = (uint32_t)key_number(value.data, value.len);
	}
	return kv_check(txn->kv, p);
}

static bool schema_start(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	schema_put(txn);
	return kv_check(txn->kv, p);
}

/* Programs of the old version refuse the store from here on. */
static bool upgrade_start(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	upgrade_begin(txn);
	return kv_check(txn->kv, p);
}

/* No server works on the store meanwhile, of this version or another. */
static bool upgrade(struct store *store, bool begun, struct problem *p)
{
	bool done = false;

	if (store->folder && !folder_lock(store->folder, &store->lock_fd, p))
		return false;
	bool ok = begun || store_update(store, upgrade_start, NULL, p);
	while (ok && !done)
		ok = store_update(store, upgrade_step, &done, p);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	store->lock_fd = -1;
	return ok;
}

static bool schema_settle(struct store *store, bool create, bool read_only, struct problem *p)
{
	const char *folder = store->folder ? store->folder : "memory";
	struct version_reading r;

	if (!store_view(store, version_get, &r, p))
		return false;
	if (r.found && r.version == SCHEMA_VERSION && !r.upgrading)
		return true;
	if (r.found && (r.version < SCHEMA_OLDEST || r.version > SCHEMA_VERSION))
		return problem_set(p, PROBLEM_CONFLICT, "the store in %s has schema version %u and this program knows "
		                   "version %d: use the newer program", folder, r.version, SCHEMA_VERSION);
	if (r.found && read_only)
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the store in %s is of an earlier version: whatever opens it to write "
		                   "upgrades it, as starting the server does",
		                   folder);
	if (r.found)
		return upgrade(store, r.upgrading, p);
	if (r.any || !create)
		return problem_set(p, PROBLEM_CONFLICT, "the store in %s is not one of enrolld's", folder);
	return store_update(store, schema_start, NULL, p);
}

/* --- open and close --- */

/* Takes kv and seal, also when it fails. */
static bool store_new(struct kv *kv, struct seal *seal, const char *folder, struct store **ret, struct problem *p)
{
	auto_struct(kv) *engine = kv;
	auto_struct(seal) *sealing = seal;
	auto_struct(store) *store = calloc(1, sizeof(*store));

	if (!store)
		return problem_memory(p);
	store->lock_fd = -1;
	store->seal = steal(sealing);
	audit_keeper_init(&store->audit, store->seal);
	if (folder && !(store->folder = strdup(folder)))
		return problem_memory(p);
	if (!group_new(engine, &store->audit, &store->group, p))
		return false;
	store->kv = steal(engine);
	*ret = steal(store);
	return true;
}

/* Before the data: a store without its key would be opened with a new one, and what is sealed in
 * it lost in silence. */
static bool seal_find(const char *folder, bool fresh, struct seal **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/seal.key", folder);

	if (!path)
		return problem_memory(p);
	if (!fresh && !folder_has(folder, "seal.key"))
		return problem_set(p, PROBLEM_CONFLICT, "%s is missing: restore it from the backup of this store",
		                   path);
	return seal_open_file(path, ret, p);
}

bool store_open(const char *folder, bool create, const struct kv_options *options, struct store **ret,
                struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_struct(seal) *seal = NULL;
	struct kv *kv = NULL;

	if (!folder_prepare(folder, create, p))
		return false;
	bool fresh = !folder_has(folder, "data.mdb");
	if (fresh && !create)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no store in %s", folder);
	if (!seal_find(folder, fresh, &seal, p) || !kv_lmdb_open(folder, options, &kv, p) ||
	    !store_new(kv, steal(seal), folder, &store, p))
		return false;
	bool read_only = options && options->read_only;
	if (!schema_settle(store, create && !read_only, read_only, p) || !file_sync_folder(folder, p))
		return false;
	*ret = steal(store);
	return true;
}

bool store_open_kv(struct kv *kv, const uint8_t seal_key[32], struct store **ret, struct problem *p)
{
	auto_struct(kv) *engine = kv;
	auto_struct(store) *store = NULL;
	struct seal *seal;

	if (!seal_new(seal_key, &seal, p) || !store_new(steal(engine), seal, NULL, &store, p) ||
	    !schema_settle(store, true, false, p))
		return false;
	*ret = steal(store);
	return true;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	group_free(store->group);
	kv_close(store->kv);
	seal_free(store->seal);
	mem_wipe(&store->audit, sizeof(store->audit));
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->folder);
	free(store);
}

bool store_lock_server(struct store *store, struct problem *p)
{
	assert(store->folder && store->lock_fd < 0);
	return folder_lock(store->folder, &store->lock_fd, p) && kv_own(store->kv, p);
}

/* --- transactions --- */

bool store_view(struct store *store, store_fn *fn, void *arg, struct problem *p)
{
	struct store_txn txn = { .audit = &store->audit };

	assert(!inside);
	if (!kv_begin(store->kv, KV_READ, &txn.kv, p))
		return false;
	inside = true;
	bool ok = fn(&txn, arg, p);
	inside = false;
	ok = ok && kv_check(txn.kv, p);
	kv_abort(&txn.kv);
	return ok;
}

bool store_update(struct store *store, store_fn *fn, void *arg, struct problem *p)
{
	assert(!inside);
	inside = true;
	bool ok = group_update(store->group, fn, arg, p);
	inside = false;
	return ok;
}

void store_counters(const struct store *store, uint64_t *ret_commits, uint64_t *ret_updates)
{
	group_counters(store->group, ret_commits, ret_updates);
}

const struct seal *store_seal(const struct store *store)
{
	return store->seal;
}

/* --- backup --- */

static bool copy_seal_key(const char *from, const char *to, struct problem *p)
{
	auto_free char *source = mem_printf("%s/seal.key", from);
	auto_free char *target = mem_printf("%s/seal.key", to);
	auto_value(buf) key = {0};

	if (!source || !target)
		return problem_memory(p);
	return file_read(source, SEAL_KEY_MAX, &key, p) && file_export(target, buf_bytes(&key), 0600, p);
}

/* The key comes last: without it the copy does not open, so that no half of one is taken for whole. */
bool store_backup(struct store *store, const char *folder, struct problem *p)
{
	auto_free char *data = mem_printf("%s/data.mdb", folder);

	assert(store->folder);
	if (!data)
		return problem_memory(p);
	if (!folder_prepare_empty(folder, p) || !kv_backup(store->kv, folder, p))
		return false;
	if (copy_seal_key(store->folder, folder, p))
		return file_sync_folder(folder, p);
	unlink(data);
	return false;
}
