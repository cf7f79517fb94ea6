#include "store/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"

static const char magic[8] = "enrolldJ";

enum { VERSION = 1, DIGEST = JOURNAL_MARK };

/* As it is on disk, at the beginning of a block. */
struct head_block {
	char magic[8];
	uint64_t version;
	struct journal_head head;
	uint8_t digest[DIGEST];  /* of all before it */
};
struct record_head {
	uint8_t digest[DIGEST];  /* of the salt, all after it, and what follows this head */
	uint64_t epoch, txn;
	uint64_t len;            /* of what follows this head */
	uint64_t unused;
};
_Static_assert(sizeof(struct head_block) <= JOURNAL_BLOCK, "a header is one block");
_Static_assert(sizeof(struct record_head) == JOURNAL_RECORD_HEAD, "the room that a record leaves");

static int write_all(int fd, const void *data, size_t len, uint64_t at)
{
	const uint8_t *from = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		from += n;
		len -= (size_t)n;
		at += (size_t)n;
	}
	return 0;
}

/* ENODATA: the file ends before. */
static int read_all(int fd, void *to, size_t len, uint64_t at)
{
	ssize_t n;

	do {
		n = pread(fd, to, len, (off_t)at);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? errno : (size_t)n == len ? 0 : ENODATA;
}

/* --- the file --- */

int journal_open(const char *folder, bool create, struct journal *ret)
{
	auto_free char *path = mem_printf("%s/journal", folder);

	*ret = (struct journal){ .fd = -1 };
	if (!path)
		return ENOMEM;
	int fd = open(path, O_RDWR | O_DSYNC | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
	bool writable = fd >= 0;
	if (fd < 0 && (errno == EACCES || errno == EROFS))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (create)
		file_give(path);
	*ret = (struct journal){ .fd = fd, .writable = writable };
	return 0;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

int journal_lock(const struct journal *journal, enum journal_lock which, short type, bool wait)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = which, .l_len = 1 };
	int rc;

	if (journal->fd < 0)
		return 0;
	while ((rc = fcntl(journal->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock)) != 0 && errno == EINTR)
		;
	if (rc == 0)
		return 0;
	return errno == EACCES ? EAGAIN : errno;
}

void journal_unlock(const struct journal *journal, enum journal_lock which)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = which, .l_len = 1 };

	if (journal->fd >= 0)
		fcntl(journal->fd, F_OFD_SETLK, &lock);
}

bool journal_owned(const struct journal *journal)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = JOURNAL_OWNER, .l_len = 1 };

	return journal->fd >= 0 && fcntl(journal->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int journal_lay(const struct journal *journal)
{
	off_t size = lseek(journal->fd, 0, SEEK_END);

	if (size < 0 || size >= JOURNAL_SIZE)
		return size < 0 ? errno : 0;
	/* What is shorter was never whole, and has neither headers nor records. */
	auto_free uint8_t *zeros = calloc(1, JOURNAL_SIZE);
	return zeros ? write_all(journal->fd, zeros, JOURNAL_SIZE, 0) : ENOMEM;
}

/* --- headers --- */

static void head_digest(const struct head_block *block, uint8_t ret[DIGEST])
{
	digest_sha256(BYTES((const uint8_t *)block, offsetof(struct head_block, digest)), ret);
}

/* ENODATA: there is none, or not whole. */
static int head_block_read(const struct journal *journal, unsigned place, struct head_block *ret)
{
	uint8_t digest[DIGEST];
	int rc = read_all(journal->fd, ret, sizeof(*ret), place * JOURNAL_BLOCK);

	if (rc != 0 || memcmp(ret->magic, magic, sizeof(magic)) != 0)
		return rc != 0 ? rc : ENODATA;
	head_digest(ret, digest);
	return memcmp(digest, ret->digest, DIGEST) == 0 ? 0 : ENODATA;
}

int journal_head_read(const struct journal *journal, struct journal_head *ret)
{
	struct head_block block;
	uint64_t version = VERSION;

	*ret = (struct journal_head){0};
	for (unsigned place = 0; place < 2 && journal->fd >= 0; place++) {
		int rc = head_block_read(journal, place, &block);
		if (rc != 0 && rc != ENODATA)
			return rc;
		if (rc == ENODATA || block.head.epoch <= ret->epoch)
			continue;
		*ret = block.head;
		version = block.version;
	}
	return version == VERSION ? 0 : EINVAL;
}

uint64_t journal_epoch(const struct journal *journal)
{
	uint8_t both[JOURNAL_BLOCK + sizeof(struct head_block)];
	uint64_t ret = 0;

	if (journal->fd < 0 || read_all(journal->fd, both, sizeof(both), 0) != 0)
		return 0;
	for (unsigned place = 0; place < 2; place++) {
		uint64_t epoch;

		memcpy(&epoch, both + place * JOURNAL_BLOCK + offsetof(struct head_block, head.epoch), sizeof(epoch));
		if (epoch > ret)
			ret = epoch;
	}
	return ret;
}

int journal_head_write(const struct journal *journal, const struct journal_head *head)
{
	uint8_t room[JOURNAL_BLOCK] = {0};
	struct head_block block = { .version = VERSION, .head = *head };

	memcpy(block.magic, magic, sizeof(magic));
	head_digest(&block, block.digest);
	memcpy(room, &block, sizeof(block));
	return write_all(journal->fd, room, sizeof(room), head->epoch % 2 * JOURNAL_BLOCK);
}

/* --- records --- */

size_t journal_room(size_t len)
{
	return (len + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

/* The salt is where the digest comes. */
static void record_seal(uint8_t *record, size_t len, const uint8_t salt[JOURNAL_SALT])
{
	uint8_t digest[DIGEST];

	memcpy(record, salt, JOURNAL_SALT);
	digest_sha256(BYTES(record, len), digest);
	memcpy(record, digest, DIGEST);
}

int journal_write(const struct journal *journal, uint64_t at, const struct journal_head *head, uint64_t txn,
                  struct buf *record)
{
	struct record_head first = { .epoch = head->epoch, .txn = txn, .len = record->len - sizeof(first) };

	assert(record->len >= sizeof(first) && at + journal_room(record->len) <= JOURNAL_SIZE);
	memcpy(record->data, &first, sizeof(first));
	record_seal(record->data, record->len, head->salt);
	return write_all(journal->fd, record->data, record->len, at);
}

bool journal_has(const struct journal *journal, uint64_t at, const uint8_t mark[JOURNAL_MARK])
{
	uint8_t found[JOURNAL_MARK];

	return read_all(journal->fd, found, sizeof(found), at) == 0 && memcmp(found, mark, sizeof(found)) == 0;
}

/* Should it fail, the next record comes to the same place: until then a power cut would bring back what was
 * refused. */
void journal_strike(const struct journal *journal, uint64_t at)
{
	static const struct record_head none;

	(void)write_all(journal->fd, &none, sizeof(none), at);
}

int journal_read(const struct journal *journal, uint64_t at, const struct journal_head *head, uint64_t txn,
                 struct buf *ret)
{
	struct record_head first;
	int rc;

	buf_clear(ret);
	if (at + sizeof(first) > JOURNAL_SIZE)
		return ENODATA;
	if ((rc = read_all(journal->fd, &first, sizeof(first), at)) != 0)
		return rc;
	if (first.epoch != head->epoch || first.txn != txn || first.len > JOURNAL_SIZE - sizeof(first) - at)
		return ENODATA;
	size_t len = sizeof(first) + (size_t)first.len;
	uint8_t *room = buf_extend(ret, len);
	if (!room || (rc = read_all(journal->fd, room, len, at)) != 0)
		return room ? rc : ENOMEM;
	record_seal(room, len, head->salt);
	return memcmp(first.digest, room, DIGEST) == 0 ? 0 : ENODATA;
}
