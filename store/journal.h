/* The journal of a store: a file beside its data in which each transaction is written whole before it is
 * committed, so that one write makes it durable and the data itself can be flushed now and then. It knows
 * nothing of the engine: a header says which state of the data the records follow, in words of the engine's
 * own (`base`), and a record is a transaction's number with bytes.
 *
 * The file has two places for headers, written in turn, of which the whole one with the higher epoch
 * holds; then records of whole blocks, each with the epoch and a digest, numbered without a gap: the first
 * that does not fit ends them. So a write that the power cut short is one that never was. All is in the
 * machine's own byte order, as LMDB's pages are.
 *
 * Calls return 0 or an errno. None is safe for two threads at once; the engine's lock of writers keeps
 * them, and processes, apart. */
#pragma once

#include "base/bytes.h"

enum {
	JOURNAL_BLOCK = 4096,               /* records begin and end with one: no write touches another's sectors */
	JOURNAL_SIZE = 512 << 10,
	JOURNAL_FIRST = 2 * JOURNAL_BLOCK,  /* where records begin, after the headers */
	JOURNAL_BASE = 2048,
	JOURNAL_RECORD_HEAD = 64,           /* room that a record's bytes leave at their beginning */
	JOURNAL_MARK = 32,                  /* with which a record begins: no other has the same */
	JOURNAL_SALT = JOURNAL_MARK,
};

struct journal {
	int fd;         /* -1: there is none */
	bool writable;
};
struct journal_head {
	uint64_t epoch;              /* 0: none was ever written */
	uint64_t active;             /* 0: the data is whole by itself, and records mean nothing */
	uint64_t txn;                /* the transaction whose state `base` describes */
	uint8_t salt[JOURNAL_SALT];  /* random: bytes that a client sent lie in the file, and must not pass for a record */
	uint8_t base[JOURNAL_BASE];
};

/* Opens the folder's journal; one that is missing is made, empty, where `create` says so, else fd stays -1.
 * One that cannot be opened for writing is opened for reading. */
int journal_open(const char *folder, bool create, struct journal *ret) must_use;
void journal_close(struct journal *journal); /* its locks end with it */

/* Locks between processes, each its own. Of the opening one readers and writers share; who owns, owns alone. */
enum journal_lock {
	JOURNAL_OWNER,    /* held while its process keeps the base's pages from being used again */
	JOURNAL_OPENING,  /* held while the data may be put back to the base */
};
/* type as fcntl has it: F_RDLCK or F_WRLCK. EAGAIN: another process has it, unless `wait`. */
int journal_lock(const struct journal *journal, enum journal_lock which, short type, bool wait) must_use;
void journal_unlock(const struct journal *journal, enum journal_lock which);
/* Whether another process is the owner. */
bool journal_owned(const struct journal *journal) must_use;

/* Writes the whole file once, so that later writes need no room and change nothing but bytes. */
int journal_lay(const struct journal *journal) must_use;
/* The higher epoch of both headers, whole or not: what a look costs nothing tells of a change. */
uint64_t journal_epoch(const struct journal *journal);
/* The header that holds; all zero when there is none. EINVAL: it holds for another version of the journal. */
int journal_head_read(const struct journal *journal, struct journal_head *ret) must_use;
/* Durable when it returns 0. After another errno but ENOSPC and EDQUOT which one holds is not known. */
int journal_head_write(const struct journal *journal, const struct journal_head *head) must_use;

/* What a record with so many bytes (JOURNAL_RECORD_HEAD included) takes of the file. */
size_t journal_room(size_t len);
/* Writes a record at `at`, durable when it returns 0. Its head goes into the first JOURNAL_RECORD_HEAD
 * bytes. */
int journal_write(const struct journal *journal, uint64_t at, const struct journal_head *head, uint64_t txn,
                  struct buf *record) must_use;
/* Whether the record at `at` is the one with that mark. */
bool journal_has(const struct journal *journal, uint64_t at, const uint8_t mark[JOURNAL_MARK]) must_use;
/* Takes back the record at `at`, as far as the disk lets it. */
void journal_strike(const struct journal *journal, uint64_t at);
/* The record of that header and number at `at`. ENODATA: there is none, or not whole; another errno says nothing of
 * whether there is. ret is replaced. */
int journal_read(const struct journal *journal, uint64_t at, const struct journal_head *head, uint64_t txn,
                 struct buf *ret) must_use;
