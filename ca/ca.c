#include "ca/ca.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "ca/authority.h"
#include "ca/files.h"
#include "ca/issue.h"
#include "ca/issuer_inside.h"
#include "store/authority.h"

enum { LINE_LENGTH = 1000 };

/* A name, and the issuer that issues for it. */
struct alias {
	char name[ISSUER_NAME_SIZE];
	struct issuer *current;
};
/* What readers see at one moment. */
struct ca_table {
	struct ca_table *older;        /* of those that were ever taken up: somebody may have it in hand */
	struct ca_table *before;       /* in whose place it came */
	struct issuer **issuers;
	bool *kept;                    /* belongs to an older table as well */
	size_t count;
	struct alias *aliases;
	size_t alias_count;
	struct buf root;               /* PEM */
};
struct ca {
	char *folder;
	_Atomic(struct ca_table *) table;
	struct ca_table *newest;       /* of all there ever were */
};

void ca_table_free(struct ca_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		if (!table->kept[i])
			issuer_free(table->issuers[i]);
	free(table->issuers);
	free(table->kept);
	free(table->aliases);
	buf_free(&table->root);
	free(table);
}

static struct issuer *table_find(const struct ca_table *table, const char *name)
{
	for (size_t i = 0; table && i < table->count; i++)
		if (str_equal(issuer_name(table->issuers[i]), name))
			return table->issuers[i];
	return NULL;
}

static const struct alias *alias_find(const struct ca_table *table, const char *name)
{
	for (size_t i = 0; i < table->alias_count; i++)
		if (*name == '\0' || str_equal(table->aliases[i].name, name))
			return &table->aliases[i];
	return NULL;
}

/* --- loading */

struct loading {
	struct ca_table *table;
	const struct ca_table *before;    /* NULL: none */
	const struct ca_options *options;
	struct bytes passphrase;
};

static bool table_grow(struct ca_table *table, struct problem *p)
{
	struct issuer **issuers = reallocarray(table->issuers, table->count + 1, sizeof(*issuers));

	if (!issuers)
		return problem_memory(p);
	table->issuers = issuers;
	bool *kept = reallocarray(table->kept, table->count + 1, sizeof(*kept));
	if (!kept)
		return problem_memory(p);
	table->kept = kept;
	return true;
}

/* An issuer that is what it was stays the same object. */
static void table_add(struct loading *loading, struct issuer *fresh)
{
	struct ca_table *table = loading->table;
	struct issuer *before = table_find(loading->before, issuer_name(fresh));
	bool same = before && issuer_equal(before, fresh);

	if (before && !same)
		issuer_set_disabled(fresh, issuer_is_disabled(before));
	table->kept[table->count] = same;
	table->issuers[table->count++] = same ? before : fresh;
	if (same)
		issuer_free(fresh);
}

static bool is_there(const char *folder, const char *name, struct problem *p)
{
	if (files_has(folder, name, ".pem"))
		return true;
	return problem_set(p, PROBLEM_NOT_FOUND, "%s/%s.pem: there is no CA of this name, which `ca.issuers` "
	                   "names", folder,
	                   name);
}

static bool issuer_add(struct loading *loading, const char *name, struct problem *p)
{
	const struct ca_options *options = loading->options;
	auto_struct(issuer) *fresh = NULL;

	if (table_find(loading->table, name))
		return problem_set(p, PROBLEM_MALFORMED, "issuer %s: named twice", name);
	if (!table_grow(loading->table, p) || !is_there(options->folder, name, p))
		return false;
	if (options->keyless ? !issuer_load_keyless(options->folder, name, &options->urls, &fresh, p)
	                     : !issuer_load(options->folder, name, loading->passphrase, &options->urls, &fresh, p) ||
	                       !issue_self_test(fresh, p))
		return false;
	table_add(loading, steal(fresh));
	return true;
}

/* Nothing is asked any more of a CA that ended and whose place is taken. */
static bool has_ended(const char *folder, const char *name, bool *ret, struct problem *p)
{
	auto(X509) *certificate = NULL;
	int64_t end;

	if (!files_certificate(folder, name, &certificate, p) || !authority_not_after(certificate, &end, p))
		return false;
	*ret = end < clock_now();
	return true;
}

static bool alias_add(struct ca_table *table, const char *name, struct problem *p)
{
	struct alias *aliases = reallocarray(table->aliases, table->alias_count + 1, sizeof(*aliases));

	if (!aliases)
		return problem_memory(p);
	table->aliases = aliases;
	strcpy(aliases[table->alias_count].name, name);
	aliases[table->alias_count++].current = NULL;
	return true;
}

/* The issuer and those that took its place, one after the other. */
static bool line_add(struct loading *loading, const char *name, struct problem *p)
{
	const char *folder = loading->options->folder;
	struct ca_table *table = loading->table;
	char at[ISSUER_NAME_SIZE], next[ISSUER_NAME_SIZE] = "";
	size_t begin = table->alias_count;
	bool ended = false;

	if (!issuer_name_check(name, p))
		return false;
	strcpy(at, name);
	for (int i = 0; *at && i < LINE_LENGTH; i++) {
		if (!files_successor(folder, at, next, p) || (*next && !has_ended(folder, at, &ended, p)) ||
		    !alias_add(table, at, p) || ((!*next || !ended) && !issuer_add(loading, at, p)))
			return false;
		strcpy(at, next);
	}
	if (*at)
		return problem_set(p, PROBLEM_MALFORMED, "%s: the successors of %s go round in a circle", folder, name);
	for (size_t i = begin; i < table->alias_count; i++)
		table->aliases[i].current = table->issuers[table->count - 1];
	return true;
}

/* The root that clients are told to trust must be the one that the default chain ends in. */
static bool root_load(struct ca_table *table, const char *folder, struct problem *p)
{
	char name[ISSUER_NAME_SIZE];
	auto(X509) *root = NULL;
	const struct issuer *first = alias_find(table, "")->current;

	if (!files_current(folder, "root", name, p) || !files_certificate(folder, name, &root, p))
		return false;
	if (X509_cmp(root, issuer_root(first)) != 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s/%s.pem: not the root that the chain of issuer %s ends in", folder, name,
		                   issuer_name(first));
	return ossl_certificate_pem(root, &table->root, p);
}

static bool table_load(struct loading *loading, struct problem *p)
{
	static const char *const usual[] = { "issuing", NULL };

	for (const char *const *name = loading->options->issuers ?: usual; *name; name++)
		if (!line_add(loading, *name, p))
			return false;
	if (loading->table->count == 0)
		return problem_set(p, PROBLEM_MALFORMED, "the CA has no issuer");
	return root_load(loading->table, loading->options->folder, p);
}

bool ca_open(const struct ca_options *options, struct bytes passphrase, struct ca **ret, struct problem *p)
{
	auto_struct(ca) *ca = calloc(1, sizeof(*ca));
	auto_struct(ca_table) *table = calloc(1, sizeof(*table));
	struct loading loading = { .table = table, .options = options, .passphrase = passphrase };

	if (!ca || !table || !(ca->folder = strdup(options->folder)))
		return problem_memory(p);
	if (!table_load(&loading, p))
		return false;
	ca->newest = table;
	atomic_init(&ca->table, steal(table));
	*ret = steal(ca);
	return true;
}

/* Those that are no longer named go on: what they issued is still asked about. */
static bool keep_former(struct loading *loading, struct problem *p)
{
	struct ca_table *table = loading->table;

	for (size_t i = 0; i < loading->before->count; i++) {
		if (table_find(table, issuer_name(loading->before->issuers[i])))
			continue;
		if (!table_grow(table, p))
			return false;
		table->kept[table->count] = true;
		table->issuers[table->count++] = loading->before->issuers[i];
	}
	return true;
}

bool ca_read(const struct ca *ca, const struct ca_options *options, struct bytes passphrase, struct ca_table **ret,
             struct problem *p)
{
	struct ca_table *before = atomic_load(&ca->table);
	auto_struct(ca_table) *table = calloc(1, sizeof(*table));
	struct loading loading = { .table = table, .before = before, .options = options, .passphrase = passphrase };

	if (!table)
		return problem_memory(p);
	if (!table_load(&loading, p) || !keep_former(&loading, p))
		return false;
	table->before = before;
	*ret = steal(table);
	return true;
}

void ca_take_up(struct ca *ca, struct ca_table **table)
{
	struct ca_table *fresh = steal(*table);

	assert(fresh->before == atomic_load(&ca->table));
	fresh->older = ca->newest;
	ca->newest = fresh;
	atomic_store(&ca->table, fresh);
}

void ca_go_back(struct ca *ca)
{
	struct ca_table *table = atomic_load(&ca->table);

	assert(table->before);
	atomic_store(&ca->table, table->before);
}

void ca_free(struct ca *ca)
{
	struct ca_table *table = ca ? ca->newest : NULL;

	while (table) {
		struct ca_table *older = table->older;
		ca_table_free(table);
		table = older;
	}
	if (ca)
		free(ca->folder);
	free(ca);
}

/* --- following the operators */

static bool follow(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct ca_table *table = arg;

	for (size_t i = 0; i < table->count; i++) {
		auto_value(authority_state) state = { 0 };
		if (!store_authority_get(txn, issuer_name(table->issuers[i]), &state, p))
			return false;
		issuer_set_disabled(table->issuers[i], state.disabled != 0);
	}
	return true;
}

bool ca_follow(struct ca *ca, struct store *store, struct problem *p)
{
	return store_view(store, follow, atomic_load(&ca->table), p);
}

/* --- asking */

const struct issuer *ca_issuer(const struct ca *ca, const char *name)
{
	return *name ? table_find(atomic_load(&ca->table), name) : ca_issuer_current(ca, name);
}

const struct issuer *ca_table_current(const struct ca_table *table, const char *name)
{
	const struct alias *alias = alias_find(table, name);

	return alias ? alias->current : NULL;
}

const struct issuer *ca_issuer_current(const struct ca *ca, const char *name)
{
	return ca_table_current(atomic_load(&ca->table), name);
}

const struct issuer *ca_issuer_at(const struct ca *ca, size_t i)
{
	const struct ca_table *table = atomic_load(&ca->table);

	return i < table->count ? table->issuers[i] : NULL;
}

struct bytes ca_root_pem(const struct ca *ca)
{
	return buf_bytes(&((struct ca_table *)atomic_load(&ca->table))->root);
}

const char *ca_folder(const struct ca *ca)
{
	return ca->folder;
}
