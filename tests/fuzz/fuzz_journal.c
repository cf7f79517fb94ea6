/* Whatever stands in a journal, opening its store ends in a refusal or in a state that the server had: never in another
 * one, and never in a store that cannot be written to.
 *
 * The journal is that of a server that was killed after STATES transactions. An input changes it: a byte of flags, and
 * then patches, each of which is where it goes (3 bytes, highest first), a length (1 byte) and so many bytes. Digests
 * would let hardly any change through, so flags ask for them to be made anew; what stands in a header of LMDB's own
 * pages (`base`) is then put back, for it is LMDB's to read, and whole where the digest is. */
#include <assert.h>
#include <stdio.h>

#include "store/journal.c" /* its digests */

#include "store/kv.h"

enum { STATES = 6, KEPT = 64 * 1024, MARK = 20 /* transactions of the fuzzer's own are numbered from here on */ };
enum { SEAL_HEADS = 1, SEAL_RECORDS = 2 /* and heads */, CUT = 4 /* the file, at the 3 bytes that follow */ };

static const struct kv_options options = { .map_size = 1 << 20, .map_max = 8 << 20 };
static char folder[64], paths[3][96]; /* data.mdb, lock.mdb, journal */
static struct buf data, whole;
static uint8_t bases[2][JOURNAL_BASE];

/* --- the server's work */

static void put_number(struct kv_txn *txn, const char *name, unsigned n)
{
	char key[32], value[32];
	int key_len = snprintf(key, sizeof(key), "%s%u", name, n), len = snprintf(value, sizeof(value), "value %u", n);

	kv_put(txn, BYTES(key, (size_t)key_len), BYTES(value, (size_t)len));
}

/* A state is its number, and a row for each before it but the first, which goes with the third. */
static void work(struct kv *kv, unsigned state)
{
	struct problem p = {0};
	struct kv_txn *txn;
	uint8_t number = (uint8_t)state;

	if (!kv_begin(kv, KV_WRITE, &txn, &p))
		abort();
	put_number(txn, "row ", state);
	kv_put(txn, BYTES("state", 5), BYTES(&number, 1));
	if (state == 3)
		kv_delete(txn, BYTES("row 1", 5));
	if (!kv_commit(&txn, &p))
		abort();
}

static void keep_bases(void)
{
	for (unsigned place = 0; place < 2; place++)
		memcpy(bases[place], whole.data + place * JOURNAL_BLOCK + offsetof(struct head_block, head.base), JOURNAL_BASE);
}

static void clean(void)
{
	for (size_t i = 0; i < array_length(paths); i++)
		unlink(paths[i]);
	rmdir(folder);
}

static void prepare(void)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "journal" };
	const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* a disk's flushes would take all the time */
	struct problem p = {0};
	struct kv *kv;

	snprintf(folder, sizeof(folder), "%s/fuzz-journal-XXXXXX", above);
	if (!mkdtemp(folder))
		abort();
	for (size_t i = 0; i < array_length(names); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
	atexit(clean);
	if (!kv_lmdb_open(folder, &options, &kv, &p) || !kv_own(kv, &p))
		abort();
	for (unsigned state = 1; state <= STATES; state++)
		work(kv, state);
	if (!file_read(paths[0], BUF_MAX - 1, &data, &p) || !file_read(paths[2], JOURNAL_SIZE, &whole, &p))
		abort();
	buf_shorten(&whole, KEPT);
	keep_bases();
	kv_close(kv);
}

/* --- the input */

static void patch(uint8_t *journal, struct bytes in)
{
	struct bytes head, bytes;

	while (bytes_take(&in, 4, &head)) {
		size_t at = (size_t)head.data[0] << 16 | (size_t)head.data[1] << 8 | head.data[2];
		if (!bytes_take(&in, head.data[3] < in.len ? head.data[3] : in.len, &bytes) || at + bytes.len > KEPT)
			return;
		if (bytes.len > 0)
			memcpy(journal + at, bytes.data, bytes.len);
	}
}

/* Returns the salt of the header that holds. */
static const uint8_t *seal_heads(uint8_t *journal)
{
	struct head_block block;
	uint64_t newest = 0;
	const uint8_t *salt = journal + offsetof(struct head_block, head.salt);

	for (unsigned place = 0; place < 2; place++) {
		uint8_t *at = journal + place * JOURNAL_BLOCK;
		memcpy(&block, at, sizeof(block));
		memcpy(block.head.base, bases[place], JOURNAL_BASE);
		head_digest(&block, block.digest);
		memcpy(at, &block, sizeof(block));
		if (block.head.epoch >= newest)
			salt = at + offsetof(struct head_block, head.salt);
		newest = block.head.epoch > newest ? block.head.epoch : newest;
	}
	return salt;
}

static void seal_records(uint8_t *journal, const uint8_t *salt)
{
	struct record_head first;

	for (size_t at = JOURNAL_FIRST; at + sizeof(first) <= KEPT;) {
		memcpy(&first, journal + at, sizeof(first));
		if (first.len > KEPT - sizeof(first) - at)
			return;
		size_t len = sizeof(first) + (size_t)first.len;
		record_seal(journal + at, len, salt);
		at += journal_room(len);
	}
}

static void write_file(const char *path, struct bytes content, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write_all(fd, content.data, content.len, 0) != 0 || ftruncate(fd, size) != 0)
		abort();
	close(fd);
}

static void lay_out(uint8_t flags, struct bytes in)
{
	static uint8_t journal[KEPT];
	off_t size = JOURNAL_SIZE;
	struct bytes cut;

	memcpy(journal, whole.data, KEPT);
	if ((flags & CUT) && bytes_take(&in, 3, &cut))
		size = (off_t)(cut.data[0] << 16 | cut.data[1] << 8 | cut.data[2]) % JOURNAL_SIZE;
	patch(journal, in);
	if (flags & (SEAL_HEADS | SEAL_RECORDS)) {
		const uint8_t *salt = seal_heads(journal);
		if (flags & SEAL_RECORDS)
			seal_records(journal, salt);
	}
	unlink(paths[1]);
	write_file(paths[0], buf_bytes(&data), (off_t)data.len);
	write_file(paths[2], BYTES(journal, KEPT), size);
}

/* --- what came of it */

struct seen {
	unsigned rows, state; /* a bit for each row */
};

static bool see(void *arg, struct bytes key, struct bytes value)
{
	struct seen *seen = arg;

	if (bytes_equal(key, BYTES("state", 5)) && value.len == 1)
		seen->state = value.data[0];
	else if (key.len == 5 && bytes_start(key, BYTES("row ", 4)) && key.data[4] >= '0' && key.data[4] <= '9')
		seen->rows |= 1u << (key.data[4] - '0');
	else
		seen->rows |= 1u << 31; /* none of ours */
	return true;
}

static struct seen look(struct kv *kv)
{
	struct problem p = {0};
	struct seen seen = {0};
	struct kv_txn *txn;

	if (!kv_begin(kv, KV_READ, &txn, &p))
		abort();
	kv_scan(txn, BYTES(NULL, 0), BYTES(NULL, 0), see, &seen);
	if (kv_failed(txn))
		abort();
	kv_abort(&txn);
	return seen;
}

static void want_a_state(const struct seen *seen)
{
	unsigned rows = (2u << seen->state) - 2; /* row 1 to row `state` */

	if (seen->state >= 3)
		rows &= ~2u;
	if (seen->state < 1 || seen->state > STATES || seen->rows != rows)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct problem p = {0};
	struct kv *kv;

	if (!folder[0])
		prepare();
	if (size == 0)
		return 0;
	uint8_t flags = input[0];
	lay_out(flags, BYTES(input + 1, size - 1));
	if (!kv_lmdb_open(folder, &options, &kv, &p)) {
		assert(problem_is_set(&p) && problem_cause(&p)[0]);
		return 0;
	}
	struct seen seen = look(kv);
	if (!(flags & SEAL_RECORDS)) /* whoever can seal can write what he likes */
		want_a_state(&seen);
	work(kv, MARK);
	kv_close(kv);
	if (!kv_lmdb_open(folder, &options, &kv, &p) || look(kv).state != MARK)
		abort();
	kv_close(kv);
	return 0;
}
