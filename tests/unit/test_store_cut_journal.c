/* What a store makes of its journal when the file is not what it left: missing, short, of another store, with bits that have flipped. */
#include "tests/unit/cut_trial.h"

#include <errno.h>

enum { UPDATES = 60 };

/* Returns the point at which the server has done so much, and is still there. */
static size_t server_at_work(void)
{
	struct kv *kv = begin_workload(true);
	char why[256];

	for (unsigned i = 1; i < UPDATES; i++)
		if (!update_kv(kv, disk, why))
			fail_msg("%s", why);
	size_t point = power_now(disk);
	kv_close(kv);
	want_log_whole();
	return point;
}

static char *in(const char *path, const char *name)
{
	char *file = mem_printf("%s/%s", path, name);

	assert_non_null(file);
	return file;
}

static char *fresh(void)
{
	char *path = in(folder, "fresh");

	assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

static void read_file(const char *path, const char *name, struct buf *ret)
{
	auto_free char *file = in(path, name);

	buf_clear(ret);
	must(file_read(file, BUF_MAX - 1, ret, p));
}

static void copy_file(const char *from, const char *to, const char *name)
{
	auto_value(buf) data = {0};
	auto_free char *file = in(to, name);

	read_file(from, name, &data);
	must(file_write(file, buf_bytes(&data), 0600, p));
}

/* It opens with what so many updates left, or is refused; in both cases what it holds is of the one store. */
static bool opens(const char *path, unsigned least, unsigned most, char why[256])
{
	const struct trial t = { .seed = 0, .least = least, .most = most, .backup = true };

	return look_apart(path, &t, why);
}

static void want_open(const char *path, unsigned least, unsigned most)
{
	char why[256];

	if (!opens(path, least, most, why))
		fail_msg("%s", why);
}

static void want_refusal(const char *path)
{
	auto_value(buf) before = {0};
	auto_value(buf) after = {0};
	struct kv *kv = NULL;

	read_file(path, "data.mdb", &before);
	must_refuse(PROBLEM_CONFLICT, kv_lmdb_open(path, NULL, &kv, p));
	read_file(path, "data.mdb", &after);
	assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
}

static bool is_refused(const char *path)
{
	struct kv *kv = NULL;
	struct problem p = {0};
	bool refused = !kv_lmdb_open(path, NULL, &kv, &p) && p.kind == PROBLEM_CONFLICT;

	problem_done(&p);
	kv_close(kv);
	return refused;
}

/* Nothing that was answered is lost in silence. */
static bool whole_or_refused(const char *path, char why[256])
{
	return is_refused(path) || opens(path, UPDATES, UPDATES, why);
}

static void write_numbers(struct kv *kv)
{
	struct kv_txn *txn = NULL;
	struct problem full = {0};

	for (unsigned i = 0; i < 20; i++) {
		do {
			must(kv_begin(kv, KV_WRITE, &txn, p));
			kv_put(txn, BYTES_STR("wk07"), BYTES(&i, sizeof(i)));
		} while (!kv_commit(&txn, &full) && kv_grow(kv, &full));
	}
}

/* --- after the process died: what it wrote is there, with the journal or without --- */

static void test_missing_journal(void **state)
{
	size_t point = server_at_work();
	auto_free char *path = fresh(), *journal = in(path, "journal");

	(void)state;
	power_kill(disk, point, 0, path);
	assert_int_equal(unlink(journal), 0);
	want_open(path, UPDATES, UPDATES);
}

static void test_short_journal(void **state)
{
	size_t point = server_at_work();
	auto_value(buf) whole = {0};

	(void)state;
	for (unsigned i = 0; i < seeds(40); i++) {
		auto_free char *path = fresh(), *journal = in(path, "journal");

		power_kill(disk, point, 0, path);
		read_file(path, "journal", &whole);
		size_t size = world_roll(i, 1) % (i % 4 == 0 ? 16384 : whole.len);
		assert_int_equal(truncate(journal, (off_t)size), 0);
		char why[256];
		if (!whole_or_refused(path, why))
			fail_msg("%zu of %zu bytes: %s", size, whole.len, why);
		folder_remove(steal(path));
	}
}

static void test_flipped_bits(void **state)
{
	size_t point = server_at_work();
	auto_value(buf) whole = {0};

	(void)state;
	for (unsigned i = 0; i < seeds(80); i++) {
		auto_free char *path = fresh(), *journal = in(path, "journal");

		power_kill(disk, point, 0, path);
		read_file(path, "journal", &whole);
		size_t at = world_roll(i, 1) % (i % 2 == 0 ? 8192 : whole.len);
		whole.data[at] ^= (uint8_t)(1 << i % 8);
		must(file_write(journal, buf_bytes(&whole), 0600, p));
		char why[256];
		if (!whole_or_refused(path, why))
			fail_msg("bit %u of byte %zu: %s", i % 8, at, why);
		folder_remove(steal(path));
	}
}

/* --- files that do not belong together --- */

static void test_journal_of_another_store(void **state)
{
	size_t point = server_at_work();
	auto_free char *path = fresh(), *other = in(folder, "other"), *theirs = in(folder, "theirs"), *journal = in(path, "journal");
	struct kv *kv = NULL;
	char why[256];

	(void)state;
	assert_int_equal(mkdir(other, 0700) + mkdir(theirs, 0700), 0);
	struct power *log = power_watch(other, "lock.mdb");
	assert_true(open_kv(other, false, &kv, why));
	write_numbers(kv);
	kv_close(kv);
	assert_true(open_server(other, &kv, why));
	write_numbers(kv);
	power_kill(log, power_now(log), 0, theirs);
	kv_close(kv);
	power_end(log);

	power_kill(disk, point, 0, path);
	copy_file(theirs, path, "journal");
	want_refusal(path);
	assert_int_equal(unlink(journal), 0);
	want_open(path, UPDATES, UPDATES);
	folder_remove(steal(path));
	/* One that was ended in order has nothing to say. */
	path = fresh();
	power_kill(disk, point, 0, path);
	copy_file(other, path, "journal");
	want_open(path, UPDATES, UPDATES);
}

static void test_backup_in_the_place_of_the_data(void **state)
{
	auto_free char *copy = in(folder, "copy"), *path = in(folder, "fresh"), *journal = in(path, "journal");
	struct kv *kv = begin_workload(true);
	char why[256];

	(void)state;
	assert_int_equal(mkdir(copy, 0700) + mkdir(path, 0700), 0);
	must(kv_backup(kv, copy, p));
	for (unsigned i = 1; i < UPDATES; i++)
		assert_true(update_kv(kv, disk, why));
	power_kill(disk, power_now(disk), 0, path);
	kv_close(kv);
	copy_file(copy, path, "data.mdb");
	want_refusal(path);
	assert_int_equal(unlink(journal), 0);
	want_open(path, 1, 1);
}

static void test_reading_only(void **state)
{
	size_t point = server_at_work();
	auto_free char *path = fresh();
	struct kv *kv = NULL;
	unsigned last;
	char why[256];

	(void)state;
	power_cut(disk, point, 0, path);
	if (!open_kv(path, true, &kv, why) || !world_check(kv, UPDATES, UPDATES, &last, why))
		fail_msg("%s", why);
	kv_close(kv);
	want_open(path, UPDATES, UPDATES);
}

/* --- no room for it --- */

static enum power_verdict no_room(void *arg, struct power_event *event)
{
	(void)arg;
	if (!str_equal(event->name, "journal") || event->act != POWER_ACT_WRITE || event->at + event->len <= event->size)
		return POWER_PASS;
	event->error = ENOSPC;
	return event->at > 100000 ? POWER_FAIL : POWER_PASS;
}

static void test_no_room_for_a_journal(void **state)
{
	(void)state;
	power_hook_set(no_room, NULL);
	struct kv *kv = begin_workload(true);
	size_t begin = power_now(disk);
	char why[256];

	for (unsigned i = 1; i < 20; i++)
		assert_true(update_kv(kv, disk, why));
	kv_close(kv);
	want_log_whole();
	power_hook_set(NULL, NULL);
	want_survival_anywhere(begin, seeds(30));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_missing_journal),
		TEST(test_short_journal),
		TEST(test_flipped_bits),
		TEST(test_journal_of_another_store),
		TEST(test_backup_in_the_place_of_the_data),
		TEST(test_reading_only),
		TEST(test_no_room_for_a_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
