/* The disk of power.h itself: what it keeps and what it may lose. */
#include "base/file.h"
#include "tests/unit/test_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/unit/power.h"

static char *folder, *live;
static struct power *disk;
static int failure = ENOSPC;

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	live = mem_printf("%s/live", folder);
	assert_int_equal(mkdir(live, 0700), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	power_hook_set(NULL, NULL);
	failure = ENOSPC;
	power_end(steal(disk));
	free(steal(live));
	folder_remove(steal(folder));
	return 0;
}

/* --- short forms --- */

static int open_at(const char *name, int flags)
{
	auto_free char *path = mem_printf("%s/%s", live, name);
	int fd = open(path, flags | O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* So many sectors of one letter. */
static ssize_t put(int fd, unsigned sector, unsigned sectors, char letter)
{
	char data[8 * 512];

	assert_true(sectors <= 8);
	memset(data, letter, sizeof(data));
	return pwrite(fd, data, sectors * (size_t)512, sector * (off_t)512);
}

/* A file of four sectors of 'o' that is on the disk, with its name. */
static int old_file(void)
{
	int fd = open_at("f", 0);

	assert_int_equal(put(fd, 0, 4, 'o'), 4 * 512);
	disk = power_watch(live, NULL);
	close(fd);
	return open_at("f", 0);
}

static void sync_names(void)
{
	auto_fd int fd = open(live, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fsync(fd), 0);
}

typedef void end_fn(struct power *disk, size_t point, uint64_t seed, const char *folder);

/* A letter for each sector, '.' for zeros, '?' for what is torn within; "-": there is no such file. */
static const char *after_at(end_fn *end, size_t point, uint64_t seed, const char *name, char ret[32])
{
	auto_free char *path = mem_printf("%s/cut", folder);
	auto_free char *file = mem_printf("%s/%s", path, name);
	auto_value(buf) data = {0};
	struct problem p = {0};
	size_t n = 0;

	assert_int_equal(mkdir(path, 0700), 0);
	end(disk, point, seed, path);
	bool there = file_read(file, 31 * 512, &data, &p);
	problem_done(&p);
	for (size_t at = 0; at < data.len; at += 512) {
		uint8_t first = data.data[at];
		ret[n++] = first == 0 ? '.' : (char)first;
		for (size_t i = at; i < at + 512 && i < data.len; i++)
			if (data.data[i] != first)
				ret[n - 1] = '?';
	}
	snprintf(ret + n, 32 - n, "%s", there ? "" : "-");
	folder_remove(steal(path));
	return ret;
}

static const char *after(uint64_t seed, const char *name, char ret[32])
{
	return after_at(power_cut, power_now(disk), seed, name, ret);
}

enum { SEEDS = 40 * POWER_SEEDS_EACH };

/* No cut leaves anything else, and each of them comes of some cut. */
static void want_each_of(const char *name, const char *const *wants)
{
	bool met[32] = {0};
	char text[32];

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		size_t i = 0;
		after(seed, name, text);
		while (wants[i] && !str_equal(wants[i], text))
			i++;
		if (!wants[i])
			fail_msg("seed %llu: %s", (unsigned long long)seed, text);
		met[i] = true;
	}
	for (size_t i = 0; wants[i]; i++)
		if (!met[i])
			fail_msg("never: %s", wants[i]);
}
#define WANT_EACH_OF(name, ...) want_each_of(name, (const char *const[]){ __VA_ARGS__, NULL })

/* --- what is pending --- */

static void test_a_write_is_lost_in_any_part(void **state)
{
	auto_fd int fd = old_file();

	(void)state;
	put(fd, 1, 2, 'n');
	WANT_EACH_OF("f", "oooo", "onno", "onoo", "oono");
}

static void test_writes_are_lost_in_any_order(void **state)
{
	auto_fd int fd = old_file();

	(void)state;
	put(fd, 0, 1, 'a');
	put(fd, 0, 2, 'b');
	WANT_EACH_OF("f", "oooo", "aooo", "booo", "bboo", "aboo", "oboo");
}

static void test_a_flush_is_for_all_of_the_file(void **state)
{
	auto_fd int fd = old_file(), other = open_at("f", 0), beside = open_at("g", 0);

	(void)state;
	put(fd, 0, 4, 'n');
	put(beside, 0, 1, 'x');
	sync_names();
	fdatasync(other);
	WANT_EACH_OF("f", "nnnn");
	WANT_EACH_OF("g", "", "x", ".");
}

struct flushing {
	int fd;
	int rc;
};

static void *flush(void *arg)
{
	struct flushing *f = arg;

	f->rc = fsync(f->fd);
	return NULL;
}

static void test_a_flush_is_not_for_what_comes_after_its_begin(void **state)
{
	auto_fd int fd = old_file();
	struct flushing flushing = { .fd = fd };
	pthread_t thread;

	(void)state;
	put(fd, 0, 1, 'n');
	size_t before = power_now(disk);
	power_slow(disk, 200000);
	assert_int_equal(pthread_create(&thread, NULL, flush, &flushing), 0);
	while (power_now(disk) == before)
		usleep(1000);
	put(fd, 1, 1, 'n');
	WANT_EACH_OF("f", "oooo", "nooo", "onoo", "nnoo");
	pthread_join(thread, NULL);
	assert_int_equal(flushing.rc, 0);
	WANT_EACH_OF("f", "nooo", "nnoo");
}

static void test_a_synchronous_write_is_for_itself(void **state)
{
	auto_fd int fd = old_file(), synchronous = open_at("f", O_DSYNC);

	(void)state;
	put(fd, 0, 2, 'a');
	put(synchronous, 1, 1, 's');
	WANT_EACH_OF("f", "osoo", "asoo");
	/* One that has not ended is as any other. */
	char text[32];
	assert_string_equal(after_at(power_cut, power_now(disk) - 1, 0, "f", text), "oooo");
	assert_string_equal(after_at(power_cut, power_now(disk) - 1, 1, "f", text), "asoo");
}

static void test_sizes_are_pending(void **state)
{
	auto_fd int fd = old_file();

	(void)state;
	assert_int_equal(ftruncate(fd, 2 * 512), 0);
	put(fd, 3, 1, 'n');
	WANT_EACH_OF("f", "oooo", "ooon", "oo", "oo.n", "oo..");
	fdatasync(fd);
	WANT_EACH_OF("f", "oo.n");
	assert_int_equal(fallocate(fd, 0, 0, 6 * (off_t)512), 0);
	WANT_EACH_OF("f", "oo.n", "oo.n..");
}

static void test_names_are_pending(void **state)
{
	auto_free char *g = mem_printf("%s/g", live), *h = mem_printf("%s/h", live);

	(void)state;
	close(old_file());
	auto_fd int fresh = open_at("g", 0);
	put(fresh, 0, 1, 'n');
	fdatasync(fresh);
	WANT_EACH_OF("g", "-", "n");
	sync_names();
	assert_int_equal(rename(g, h), 0);
	WANT_EACH_OF("g", "-", "n");
	WANT_EACH_OF("h", "-", "n");
	sync_names();
	WANT_EACH_OF("g", "-");
	assert_int_equal(unlink(h), 0);
	WANT_EACH_OF("h", "-", "n");
	sync_names();
	WANT_EACH_OF("h", "-");
}

static void test_each_call_that_writes(void **state)
{
	char data[512];
	struct iovec v = { data, sizeof(data) };
	auto_fd int fd = old_file(), end = open_at("f", O_APPEND);
	auto_fd int copy = dup(fd);

	(void)state;
	memset(data, 'n', sizeof(data));
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	assert_int_equal(writev(copy, &v, 1), sizeof(data));
	assert_int_equal(pwritev(fd, &v, 1, 2 * 512), sizeof(data));
	assert_int_equal(write(end, data, sizeof(data)), sizeof(data));
	assert_int_equal(pwritev2(fd, &v, 1, 5 * 512, RWF_DSYNC), sizeof(data));
	char text[32];
	assert_string_equal(after(0, "f", text), "oooo.n");
	assert_string_equal(after(1, "f", text), "nnnonn");
}

/* --- what fails --- */

static enum power_verdict fail_once(void *arg, struct power_event *event)
{
	enum power_verdict verdict = *(enum power_verdict *)arg;

	*(enum power_verdict *)arg = POWER_PASS;
	event->error = failure;
	return verdict;
}

static void test_a_flush_that_failed_cannot_be_made_good(void **state)
{
	auto_fd int fd = old_file();
	enum power_verdict verdict = POWER_FAIL;

	(void)state;
	put(fd, 0, 1, 'n');
	power_hook_set(fail_once, &verdict);
	assert_int_equal(fdatasync(fd), -1);
	assert_int_equal(errno, ENOSPC);
	put(fd, 1, 1, 'n');
	assert_int_equal(fdatasync(fd), 0);
	WANT_EACH_OF("f", "onoo", "nnoo");
}

static void test_writes_that_fail(void **state)
{
	auto_fd int fd = old_file(), synchronous = open_at("f", O_SYNC);
	enum power_verdict verdict = POWER_FAIL;

	(void)state;
	power_hook_set(fail_once, &verdict);
	assert_int_equal(put(fd, 0, 1, 'x'), -1);
	verdict = POWER_SHORT;
	assert_int_equal(put(fd, 0, 4, 'n'), 2 * 512);
	fsync(fd);
	WANT_EACH_OF("f", "nnoo");
	verdict = POWER_FAIL;
	assert_int_equal(put(synchronous, 3, 1, 'x'), -1);
	assert_int_equal(errno, ENOSPC);
	fsync(fd);
	WANT_EACH_OF("f", "nnoo");
	failure = EIO;
	verdict = POWER_FAIL;
	assert_int_equal(put(synchronous, 3, 1, 's'), -1);
	assert_int_equal(errno, EIO);
	fsync(fd);
	WANT_EACH_OF("f", "nnoo", "nnos");
}

static void test_a_drive_that_lies(void **state)
{
	auto_fd int fd = old_file(), synchronous = open_at("f", O_DSYNC);
	char text[32];

	(void)state;
	power_lie(disk);
	put(fd, 0, 1, 'n');
	assert_int_equal(fdatasync(fd), 0);
	put(synchronous, 1, 1, 'n');
	assert_string_equal(after(0, "f", text), "oooo");
}

/* --- processes --- */

static void test_a_kill_leaves_all_that_was_written(void **state)
{
	auto_fd int fd = old_file();
	char text[32];

	(void)state;
	put(fd, 0, 8, 'a');
	put(fd, 8, 8, 'b');
	put(fd, 4, 8, 'c');
	size_t now = power_now(disk);
	for (uint64_t seed = 0; seed < 4; seed += 2) {
		assert_string_equal(after_at(power_kill, now - 3, seed, "f", text), "oooo");
		assert_string_equal(after_at(power_kill, now - 2, seed, "f", text), "aaaaaaaa");
		assert_string_equal(after_at(power_kill, now, seed, "f", text), "aaaaccccccccbbbb");
	}
	/* A signal ends a write between two pages. */
	assert_string_equal(after_at(power_kill, now, 1, "f", text), "aaaaccccbbbbbbbb");
	assert_string_equal(after_at(power_kill, now, 2, "f", text), "aaaaccccccccbbbb");
}

static void test_death_at_a_call(void **state)
{
	static const struct {
		enum power_verdict verdict;
		const char *want;
	} rows[] = {
		{ POWER_DIE_BEFORE, "oooo" },
		{ POWER_DIE_HALF, "nnoo" },
		{ POWER_DIE_AFTER, "nnnn" },
	};
	auto_fd int fd = old_file();
	char text[32];
	int status;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		enum power_verdict verdict = rows[i].verdict;
		put(fd, 0, 4, 'o');
		pid_t pid = child_start();
		if (pid == 0) {
			power_hook_set(fail_once, &verdict);
			put(fd, 0, 4, 'n');
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_string_equal(after_at(power_kill, power_now(disk), 0, "f", text), rows[i].want);
	}
}

static void read_boot(char ret[64])
{
	auto_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, ret, 63);

	assert_int_equal(n, 37);
	ret[n] = '\0';
}

static void test_a_cut_boots_the_machine_anew(void **state)
{
	char boot[64], watched[64], text[32];

	(void)state;
	close(old_file());
	read_boot(watched);
	after(0, "f", text);
	read_boot(boot);
	assert_string_not_equal(boot, watched);
	after_at(power_kill, power_now(disk), 0, "f", text);
	read_boot(boot);
	assert_string_equal(boot, watched);
}

/* --- the log --- */

static void test_marks(void **state)
{
	(void)state;
	close(old_file());
	size_t begin = power_now(disk);
	assert_int_equal(begin, power_begin(disk));
	power_mark(disk, POWER_BEGUN, 7);
	power_mark(disk, POWER_BEGUN, 3);
	power_mark(disk, POWER_DONE, 3);
	assert_int_equal(power_marked(disk, begin, POWER_BEGUN), 0);
	assert_int_equal(power_marked(disk, begin + 3, POWER_BEGUN), 7);
	assert_int_equal(power_marked(disk, begin + 2, POWER_DONE), 0);
	assert_int_equal(power_marked(disk, begin + 3, POWER_DONE), 3);
}

static void test_what_goes_past_the_log_is_found(void **state)
{
	auto_free char *g = mem_printf("%s/g", live);
	auto_fd int fd = old_file();
	char why[256];

	(void)state;
	put(fd, 1, 1, 'n');
	assert_true(power_check(disk, why));
	syscall(SYS_pwrite64, fd, "x", 1, 0);
	assert_false(power_check(disk, why));
	put(fd, 0, 1, 'n');
	assert_true(power_check(disk, why));
	close((int)syscall(SYS_openat, AT_FDCWD, g, O_CREAT | O_RDWR, 0600));
	assert_false(power_check(disk, why));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_write_is_lost_in_any_part),
		TEST(test_writes_are_lost_in_any_order),
		TEST(test_a_flush_is_for_all_of_the_file),
		TEST(test_a_flush_is_not_for_what_comes_after_its_begin),
		TEST(test_a_synchronous_write_is_for_itself),
		TEST(test_sizes_are_pending),
		TEST(test_names_are_pending),
		TEST(test_each_call_that_writes),
		TEST(test_a_flush_that_failed_cannot_be_made_good),
		TEST(test_writes_that_fail),
		TEST(test_a_drive_that_lies),
		TEST(test_a_kill_leaves_all_that_was_written),
		TEST(test_death_at_a_call),
		TEST(test_a_cut_boots_the_machine_anew),
		TEST(test_marks),
		TEST(test_what_goes_past_the_log_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
