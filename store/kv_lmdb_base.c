#include "store/kv_lmdb_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "store/kv_lmdb_env.h"

/* LMDB's header page: a page's head (its number, two octets of each: key size, flags, lower, upper), then
 * this. */
struct meta_tree {
	uint32_t pad;
	uint16_t flags, depth;
	size_t branch_pages, leaf_pages, overflow_pages, entries;
	size_t root;
};
struct meta {
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct meta_tree free, main;
	size_t last_page;
	size_t txn;
};
#define META_MAGIC UINT32_C(0xBEEFC0DE)
enum {
	META_VERSION = 1,
	META_AT = sizeof(size_t) + 8,
	META_BLOCK = 512,             /* of a header page: all that LMDB keeps there */
	PAGE_MAX = 0x10000,
};
_Static_assert(META_AT + sizeof(struct meta) <= META_BLOCK, "a header page's first sector has all of it");
#define NO_PAGE SIZE_MAX

struct base {
	uint8_t pages[2][META_BLOCK];
	uint64_t page_size;
	uint64_t root;                /* of the tree of all rows; NO_PAGE: it is empty */
	uint8_t digest[SHA256_SIZE];  /* of the root's page */
};
_Static_assert(sizeof(struct base) <= JOURNAL_BASE, "the header has room for it");

static struct meta meta_of(const struct base *base, unsigned place)
{
	struct meta meta;

	memcpy(&meta, base->pages[place] + META_AT, sizeof(meta));
	return meta;
}

static int read_at(int fd, void *to, size_t len, uint64_t at)
{
	ssize_t n = pread(fd, to, len, (off_t)at);

	return n < 0 ? errno : (size_t)n == len ? 0 : EUCLEAN;
}

static bool is_meta(const struct meta *meta)
{
	return meta->magic == META_MAGIC && meta->version == META_VERSION;
}

static int read_metas(int fd, struct base *base)
{
	int rc = 0;

	for (unsigned place = 0; place < 2 && rc == 0; place++)
		rc = read_at(fd, base->pages[place], META_BLOCK, place * base->page_size);
	return rc;
}

static int root_digest(int fd, const struct base *base, uint8_t ret[SHA256_SIZE])
{
	auto_free uint8_t *page = malloc(base->page_size);

	memset(ret, 0, SHA256_SIZE);
	if (!page)
		return ENOMEM;
	if (base->root == NO_PAGE)
		return 0;
	int rc = read_at(fd, page, base->page_size, base->root * base->page_size);
	if (rc == 0)
		digest_sha256(BYTES(page, base->page_size), ret);
	return rc;
}

int lmdb_base_read(MDB_env *env, uint64_t txn, uint8_t ret[JOURNAL_BASE])
{
	struct base base = {0};
	MDB_stat st;
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (rc == 0)
		rc = mdb_env_stat(env, &st);
	if (rc == 0) {
		base.page_size = st.ms_psize;
		rc = read_metas(fd, &base);
	}
	if (rc != 0)
		return rc;
	struct meta meta = meta_of(&base, txn % 2);
	if (!is_meta(&meta) || meta.txn != txn)
		return EUCLEAN;
	base.root = meta.main.root;
	if ((rc = root_digest(fd, &base, base.digest)) == 0)
		memcpy(ret, &base, sizeof(base));
	return rc;
}

bool lmdb_base_is_empty(const uint8_t base[JOURNAL_BASE])
{
	struct base b;

	memcpy(&b, base, sizeof(b));
	return b.root == NO_PAGE;
}

bool lmdb_base_in_use(const char *folder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
	auto_free char *path = mem_printf("%s/lock.mdb", folder);
	auto_fd int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	return fd < 0 ? !path || errno != ENOENT : fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* --- recovery --- */

/* Data that was put in the place of what the journal was written for, as from a backup, must not be touched. */
static int check_data(int fd, const struct base *base)
{
	uint8_t digest[SHA256_SIZE];

	if (base->page_size < META_BLOCK || base->page_size > PAGE_MAX)
		return EUCLEAN;
	int rc = root_digest(fd, base, digest);
	return rc == 0 && memcmp(digest, base->digest, sizeof(digest)) != 0 ? EUCLEAN : rc;
}

/* The last transaction of the records, or the base's. */
static int last_recorded(const struct journal *journal, const struct journal_head *head, uint64_t *ret)
{
	auto_value(buf) record = {0};
	uint64_t at = JOURNAL_FIRST;
	int rc;

	for (*ret = head->txn; (rc = journal_read(journal, at, head, *ret + 1, &record)) == 0; (*ret)++)
		at += journal_room(record.len);
	return rc == ENODATA ? 0 : rc;
}

/* LMDB commits nothing before it is recorded. If its headers are ahead, the journal is damaged, or not theirs. */
static int check_order(int fd, const struct base *base, uint64_t recorded)
{
	struct base now = { .page_size = base->page_size };
	int rc = read_metas(fd, &now);

	for (unsigned place = 0; place < 2 && rc == 0; place++) {
		struct meta meta = meta_of(&now, place);
		if (is_meta(&meta) && meta.txn > recorded)
			rc = EUCLEAN;
	}
	return rc;
}

static int restore(const char *folder, const struct base *base, uint64_t recorded)
{
	auto_free char *path = mem_printf("%s/data.mdb", folder);
	auto_fd int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	int rc = fd < 0 ? errno : check_data(fd, base);

	if (rc == 0)
		rc = check_order(fd, base, recorded);
	for (unsigned place = 0; place < 2 && rc == 0; place++)
		if (pwrite(fd, base->pages[place], META_BLOCK, (off_t)(place * base->page_size)) != META_BLOCK)
			rc = errno != 0 ? errno : EIO;
	return rc != 0 ? rc : fdatasync(fd) == 0 ? 0 : errno;
}

static int apply(MDB_txn *txn, MDB_dbi dbi, struct bytes changes)
{
	int rc = 0;

	while (rc == 0 && changes.len > 0) {
		struct lmdb_change change;
		struct bytes head, key, value = {0};

		if (!bytes_take(&changes, sizeof(change), &head))
			return EUCLEAN;
		memcpy(&change, head.data, sizeof(change));
		bool deletes = change.value == LMDB_CHANGE_DELETE;
		if (!bytes_take(&changes, change.key, &key) ||
		    (!deletes && !bytes_take(&changes, change.value, &value)))
			return EUCLEAN;
		MDB_val k = lmdb_val(key), v = lmdb_val(value);
		rc = deletes ? mdb_del(txn, dbi, &k, NULL) : mdb_put(txn, dbi, &k, &v, 0);
	}
	return rc;
}

/* All in one transaction: the base's pages stay until it is committed, whatever happens on the way. */
static int apply_records(MDB_txn *txn, const struct journal *journal, const struct journal_head *head)
{
	auto_value(buf) record = {0};
	uint64_t at = JOURNAL_FIRST, number = head->txn + 1;
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn, NULL, 0, &dbi);

	for (; rc == 0 && (rc = journal_read(journal, at, head, number, &record)) == 0; number++) {
		rc = apply(txn, dbi, BYTES(record.data + JOURNAL_RECORD_HEAD, record.len - JOURNAL_RECORD_HEAD));
		at += journal_room(record.len);
	}
	return rc == ENODATA ? 0 : rc;
}

static int replay(MDB_env *env, const struct journal *journal, const struct journal_head *head)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	/* LMDB's own table said otherwise if somebody had opened the data just now. */
	rc = mdb_txn_id(txn) == head->txn + 1 ? apply_records(txn, journal, head) : EBUSY;
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int replay_with_room(MDB_env *env, const struct kv_options *options, const struct journal *journal,
                            const struct journal_head *head)
{
	MDB_envinfo info;
	int rc;

	while ((rc = replay(env, journal, head)) == MDB_MAP_FULL) {
		if ((rc = mdb_env_info(env, &info)) != 0 || info.me_mapsize > options->map_max)
			return rc != 0 ? rc : MDB_MAP_FULL;
		if ((rc = mdb_env_set_mapsize(env, info.me_mapsize * 2)) != 0)
			return rc;
	}
	return rc;
}

int lmdb_base_recover(const char *folder, const struct kv_options *options, const struct journal *journal,
                      struct journal_head *head)
{
	struct journal_head ended = { .epoch = head->epoch + 1 };
	struct base base;
	uint64_t recorded;
	MDB_env *env;
	int rc;

	memcpy(&base, head->base, sizeof(base));
	if ((rc = last_recorded(journal, head, &recorded)) != 0 || (rc = restore(folder, &base, recorded)) != 0 ||
	    (rc = mdb_env_create(&env)) != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(env, options->map_size)) == 0 &&
	    (rc = mdb_env_set_maxreaders(env, options->readers_max)) == 0 &&
	    (rc = mdb_env_open(env, folder, MDB_NOTLS, 0600)) == 0 &&
	    (rc = replay_with_room(env, options, journal, head)) == 0)
		rc = journal_head_write(journal, &ended);
	mdb_env_close(env);
	if (rc == 0)
		*head = ended;
	return rc;
}
