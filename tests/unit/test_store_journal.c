#include "tests/unit/test_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "store/journal.h"

static char *folder;
static struct journal journal;

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	assert_int_equal(journal_open(folder, true, &journal), 0);
	assert_int_equal(journal_lay(&journal), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	journal_close(&journal);
	folder_remove(steal(folder));
	return 0;
}

static void spoil(uint64_t at)
{
	uint8_t byte;

	assert_int_equal(pread(journal.fd, &byte, 1, (off_t)at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(journal.fd, &byte, 1, (off_t)at), 1);
}

static void write_head(uint64_t epoch, uint64_t txn)
{
	const struct journal_head head = { .epoch = epoch, .active = 1, .txn = txn, .base = "base" };

	assert_int_equal(journal_head_write(&journal, &head), 0);
}

static uint64_t head_epoch(void)
{
	struct journal_head head;

	assert_int_equal(journal_head_read(&journal, &head), 0);
	return head.epoch;
}

static void write_record(uint64_t at, uint64_t epoch, uint64_t txn, const char *text)
{
	const struct journal_head head = { .epoch = epoch, .salt = "salt" };
	auto_value(buf) record = {0};

	assert_non_null(buf_extend(&record, JOURNAL_RECORD_HEAD));
	buf_add_str(&record, text);
	assert_int_equal(journal_write(&journal, at, &head, txn, &record), 0);
}

static bool has_record_of(const struct journal_head *head, uint64_t at, uint64_t txn, const char *text)
{
	auto_value(buf) record = {0};

	return journal_read(&journal, at, head, txn, &record) == 0 &&
	       bytes_equal(BYTES(record.data + JOURNAL_RECORD_HEAD, record.len - JOURNAL_RECORD_HEAD), BYTES_STR(text));
}

static bool has_record(uint64_t at, uint64_t epoch, uint64_t txn, const char *text)
{
	const struct journal_head head = { .epoch = epoch, .salt = "salt" };

	return has_record_of(&head, at, txn, text);
}

static void test_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(fstat(journal.fd, &st), 0);
	assert_int_equal(st.st_size, JOURNAL_SIZE);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(journal.fd, F_GETFL) & O_DSYNC);
	assert_true(journal.writable);
}

static void test_laid_once(void **state)
{
	(void)state;
	write_record(JOURNAL_FIRST, 1, 1, "kept");
	assert_int_equal(journal_lay(&journal), 0);
	assert_true(has_record(JOURNAL_FIRST, 1, 1, "kept"));
}

static void test_missing(void **state)
{
	auto_free char *path = mem_printf("%s/journal", folder);
	struct journal none;
	struct journal_head head;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(journal_open(folder, false, &none), 0);
	assert_int_equal(none.fd, -1);
	assert_int_equal(journal_head_read(&none, &head), 0);
	assert_int_equal(head.epoch, 0);
	assert_int_equal(journal_epoch(&none), 0);
	assert_false(journal_owned(&none));
}

static void test_newest_head_holds(void **state)
{
	struct journal_head head;

	(void)state;
	assert_int_equal(head_epoch(), 0);
	write_head(1, 10);
	write_head(2, 20);
	write_head(3, 30);
	assert_int_equal(journal_head_read(&journal, &head), 0);
	assert_int_equal(head.epoch, 3);
	assert_int_equal(head.txn, 30);
	assert_string_equal((const char *)head.base, "base");
	assert_int_equal(journal_epoch(&journal), 3);
}

static void test_torn_head_does_not_hold(void **state)
{
	(void)state;
	write_head(1, 10);
	write_head(2, 20);
	spoil(600);
	assert_int_equal(head_epoch(), 1);
	assert_int_equal(journal_epoch(&journal), 2);  /* so the next look reads the headers */
	write_head(2, 20);
	assert_int_equal(head_epoch(), 2);
}

static void test_records(void **state)
{
	(void)state;
	write_record(JOURNAL_FIRST, 7, 41, "one");
	write_record(JOURNAL_FIRST + JOURNAL_BLOCK, 7, 42, "");
	assert_true(has_record(JOURNAL_FIRST, 7, 41, "one"));
	assert_true(has_record(JOURNAL_FIRST + JOURNAL_BLOCK, 7, 42, ""));
	assert_false(has_record(JOURNAL_FIRST, 8, 41, "one"));
	assert_false(has_record(JOURNAL_FIRST, 7, 42, "one"));
	assert_false(has_record(JOURNAL_FIRST + 2 * JOURNAL_BLOCK, 7, 43, ""));
}

/* What a client sent may look like the next record, but it cannot know the salt. */
static void test_record_of_another_salt(void **state)
{
	const struct journal_head head = { .epoch = 7, .salt = "other" };

	(void)state;
	write_record(JOURNAL_FIRST, 7, 41, "one");
	assert_false(has_record_of(&head, JOURNAL_FIRST, 41, "one"));
}

static void test_struck(void **state)
{
	(void)state;
	write_record(JOURNAL_FIRST, 7, 41, "one");
	journal_strike(&journal, JOURNAL_FIRST);
	assert_false(has_record(JOURNAL_FIRST, 7, 41, "one"));
}

/* Each byte counts: of the head what is checked before the digest, and what only it covers. */
static void test_spoilt_record(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < JOURNAL_RECORD_HEAD + strlen("text"); at++) {
		write_record(JOURNAL_FIRST, 7, 41, "text");
		spoil(JOURNAL_FIRST + at);
		assert_false(has_record(JOURNAL_FIRST, 7, 41, "text"));
	}
}

/* A length that leads out of the file, as an old file of another size could have it. */
static void test_last_record(void **state)
{
	uint64_t last = JOURNAL_SIZE - JOURNAL_BLOCK, length = JOURNAL_BLOCK;

	(void)state;
	write_record(last, 1, 2, "last");
	assert_true(has_record(last, 1, 2, "last"));
	assert_int_equal(pwrite(journal.fd, &length, sizeof(length), (off_t)last + 48), sizeof(length));
	assert_false(has_record(last, 1, 2, "last"));
	assert_false(has_record(JOURNAL_SIZE, 1, 2, "last"));
}

/* What cannot be read may be there: it is not taken for the end of the records. */
static void test_unreadable(void **state)
{
	const struct journal_head head = { .epoch = 7, .salt = "salt" };
	auto_free char *path = mem_printf("%s/journal", folder);
	struct journal unreadable = { .fd = open(path, O_WRONLY | O_CLOEXEC) };
	auto_value(buf) record = {0};
	struct journal_head found;

	(void)state;
	write_record(JOURNAL_FIRST, 7, 41, "one");
	assert_int_equal(journal_read(&unreadable, JOURNAL_FIRST, &head, 41, &record), EBADF);
	assert_int_equal(journal_read(&journal, JOURNAL_FIRST, &head, 42, &record), ENODATA);
	assert_int_equal(journal_head_read(&unreadable, &found), EBADF);
	journal_close(&unreadable);
}

/* Of a later program: not to be taken for none, nor for one of ours. */
static void test_head_of_another_version(void **state)
{
	const struct {
		char magic[8];
		uint64_t version;
		struct journal_head head;
	} block = { "enrolldJ", 2, { .epoch = 4, .active = 1 } };
	uint8_t digest[JOURNAL_MARK];
	struct journal_head found;

	(void)state;
	digest_sha256(BYTES(&block, sizeof(block)), digest);
	assert_int_equal(pwrite(journal.fd, &block, sizeof(block), 0), sizeof(block));
	assert_int_equal(pwrite(journal.fd, digest, sizeof(digest), sizeof(block)), sizeof(digest));
	assert_int_equal(journal_head_read(&journal, &found), EINVAL);
	write_head(3, 30);
	assert_int_equal(journal_head_read(&journal, &found), EINVAL);
	write_head(5, 50);
	assert_int_equal(head_epoch(), 5);
}

/* A length that goes past the file, up to one that would wrap round. */
static void test_length_past_the_end(void **state)
{
	static const uint64_t lengths[] = { JOURNAL_SIZE, BUF_MAX, UINT64_MAX, UINT64_MAX - 63 };
	const struct journal_head head = { .epoch = 7, .salt = "salt" };
	auto_value(buf) record = {0};

	(void)state;
	for (size_t i = 0; i < array_length(lengths); i++) {
		write_record(JOURNAL_FIRST, 7, 41, "one");
		assert_int_equal(pwrite(journal.fd, &lengths[i], 8, JOURNAL_FIRST + 48), 8);
		assert_int_equal(journal_read(&journal, JOURNAL_FIRST, &head, 41, &record), ENODATA);
		assert_int_equal(record.len, 0);
	}
}

static void test_room(void **state)
{
	(void)state;
	assert_int_equal(journal_room(1), JOURNAL_BLOCK);
	assert_int_equal(journal_room(JOURNAL_BLOCK), JOURNAL_BLOCK);
	assert_int_equal(journal_room(JOURNAL_BLOCK + 1), 2 * JOURNAL_BLOCK);
}

/* Locks belong to an open file, so a second one stands for another process. */
static void test_owner(void **state)
{
	struct journal other;

	(void)state;
	assert_int_equal(journal_open(folder, false, &other), 0);
	assert_false(journal_owned(&other));
	assert_int_equal(journal_lock(&journal, JOURNAL_OWNER, F_WRLCK, false), 0);
	assert_true(journal_owned(&other));
	assert_false(journal_owned(&journal));
	assert_int_equal(journal_lock(&other, JOURNAL_OWNER, F_WRLCK, false), EAGAIN);
	assert_int_equal(journal_lock(&other, JOURNAL_OPENING, F_WRLCK, false), 0);
	journal_unlock(&journal, JOURNAL_OWNER);
	assert_false(journal_owned(&other));
	journal_close(&other);
	assert_int_equal(journal_lock(&journal, JOURNAL_OPENING, F_WRLCK, false), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_laid_once),
		TEST(test_missing),
		TEST(test_newest_head_holds),
		TEST(test_torn_head_does_not_hold),
		TEST(test_records),
		TEST(test_record_of_another_salt),
		TEST(test_struck),
		TEST(test_spoilt_record),
		TEST(test_last_record),
		TEST(test_unreadable),
		TEST(test_head_of_another_version),
		TEST(test_length_past_the_end),
		TEST(test_room),
		TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
