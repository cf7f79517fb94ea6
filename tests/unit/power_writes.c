/* The calls of libc that change what is in files, and those that flush it. */
#include "tests/unit/power_calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

static void take_time(const struct power *disk)
{
	if (disk->slow > 0)
		usleep(disk->slow);
}

/* --- writing --- */

static off_t size_of(int fd)
{
	struct stat st;

	assert(fstat(fd, &st) == 0);
	return st.st_size;
}

static off_t own_place(int fd, const struct power_handle *h)
{
	return h->append ? size_of(fd) : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
}

/* Into the log first, so that from there all is one piece. */
static uint64_t gather(struct power *disk, const struct iovec *v, int n)
{
	uint64_t len = 0;

	for (int i = 0; i < n; i++) {
		assert(disk->data_len + len + v[i].iov_len <= POWER_DATA_MAX);
		if (v[i].iov_len > 0)
			memcpy(disk->data + disk->data_len + len, v[i].iov_base, v[i].iov_len);
		len += v[i].iov_len;
	}
	return len;
}

static void written(struct power *disk, const struct power_op *op)
{
	power_lock(disk);
	if (!disk->lies || op->failed)
		power_add(disk, op);
	power_unlock(disk);
}

/* With the lock held: carries it out and writes it down. */
static ssize_t write_now(int fd, const struct power_handle *h, off_t at, off_t place, uint64_t len, size_t *ret_op)
{
	struct power *disk = h->disk;
	struct power_op op = { .kind = POWER_OP_WRITE, .file = h->file, .at = (uint64_t)place, .data = disk->data_len };
	ssize_t done = at < 0 ? syscall(SYS_write, fd, disk->data + op.data, len)
	                      : syscall(SYS_pwrite64, fd, disk->data + op.data, len, at);

	if (done > 0) {
		op.len = (uint64_t)done;
		*ret_op = power_add(disk, &op);
		disk->data_len += op.len;
	}
	return done;
}

static ssize_t write_watched(int fd, const struct power_handle *h, const struct iovec *v, int n, off_t at, bool synchronous)
{
	struct power_op end = { .kind = POWER_OP_WRITTEN, .file = h->file };
	struct power_event event = { .name = h->name, .act = POWER_ACT_WRITE, .synchronous = synchronous };

	power_lock(h->disk);
	uint64_t len = event.len = gather(h->disk, v, n);
	off_t place = at < 0 ? own_place(fd, h) : at;
	event.at = (uint64_t)place;
	event.size = (uint64_t)size_of(fd);
	enum power_verdict verdict = power_ask(&event);
	if (verdict == POWER_SHORT || verdict == POWER_DIE_HALF)
		len /= 2;
	end.failed = verdict == POWER_FAIL;
	ssize_t done = end.failed && (!synchronous || event.error == ENOSPC) ? 0 : write_now(fd, h, at, place, len, &end.of);
	power_unlock(h->disk);
	if (verdict == POWER_DIE_HALF)
		power_die();
	if (done > 0 && synchronous) {
		take_time(h->disk);
		written(h->disk, &end);
	}
	if (verdict == POWER_DIE_AFTER)
		power_die();
	if (!end.failed)
		return done;
	errno = event.error;
	return -1;
}

static ssize_t write_any(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	struct power_handle h = power_handle_of(fd);

	if (h.disk)
		return write_watched(fd, &h, v, n, at, h.synchronous || (flags & (RWF_DSYNC | RWF_SYNC)) != 0);
	/* The second half of the place is for machines whose words are short. */
	return at < 0 ? syscall(SYS_writev, fd, v, n) : syscall(SYS_pwritev2, fd, v, n, at, 0, flags);
}

static ssize_t write_one(int fd, const void *data, size_t len, off_t at)
{
	union { const void *from; void *to; } base = { .from = data };

	if (!power_handle_of(fd).disk)
		return at < 0 ? syscall(SYS_write, fd, data, len) : syscall(SYS_pwrite64, fd, data, len, at);
	return write_any(fd, &(struct iovec){ .iov_base = base.to, .iov_len = len }, 1, at, 0);
}

SAME(ssize_t, write, (int fd, const void *data, size_t len), write_one(fd, data, len, -1))
SAME(ssize_t, pwrite, (int fd, const void *data, size_t len, off_t at), write_one(fd, data, len, at))
SAME(ssize_t, pwrite64, (int fd, const void *data, size_t len, off_t at), write_one(fd, data, len, at))
SAME(ssize_t, writev, (int fd, const struct iovec *v, int n), write_any(fd, v, n, -1, 0))
SAME(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), write_any(fd, v, n, at, 0))
SAME(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off_t at), write_any(fd, v, n, at, 0))
SAME(ssize_t, pwritev2, (int fd, const struct iovec *v, int n, off_t at, int flags), write_any(fd, v, n, at, flags))
SAME(ssize_t, pwritev64v2, (int fd, const struct iovec *v, int n, off_t at, int flags), write_any(fd, v, n, at, flags))

__attribute__((format(printf, 2, 0))) static int print(int fd, const char *format, va_list args)
{
	auto_free char *text = NULL;
	int len = vasprintf(&text, format, args);

	if (len < 0)
		text = NULL;
	return len < 0 ? len : (int)write_one(fd, text, (size_t)len, -1);
}

__attribute__((format(printf, 2, 3))) CALL(int, dprintf, (int fd, const char *format, ...))
{
	va_list args;

	va_start(args, format);
	int rc = print(fd, format, args);
	va_end(args);
	return rc;
}

__attribute__((format(printf, 3, 4))) CALL(int, __dprintf_chk, (int fd, int flag, const char *format, ...))
{
	va_list args;

	(void)flag;
	va_start(args, format);
	int rc = print(fd, format, args);
	va_end(args);
	return rc;
}

/* --- sizes --- */

typedef long size_call(int fd, uint64_t at, uint64_t len);

static int size_watched(const struct power_handle *h, enum power_op_kind kind, size_call *call, int fd, uint64_t at, uint64_t len)
{
	struct power_event event = { .name = h->name, .act = POWER_ACT_SIZE, .at = at, .len = len };

	power_lock(h->disk);
	enum power_verdict verdict = power_ask(&event);
	bool failed = verdict == POWER_FAIL;
	long rc = failed ? -1 : call(fd, at, len);
	if (rc == 0)
		power_add(h->disk, &(struct power_op){ .kind = kind, .file = h->file, .len = at + len });
	power_unlock(h->disk);
	if (verdict == POWER_DIE_HALF || verdict == POWER_DIE_AFTER)
		power_die();
	if (failed)
		errno = event.error;
	return (int)rc;
}

static long call_truncate(int fd, uint64_t at, uint64_t len)
{
	(void)at;
	return syscall(SYS_ftruncate, fd, len);
}

static long call_allocate(int fd, uint64_t at, uint64_t len)
{
	return syscall(SYS_fallocate, fd, 0, at, len);
}

static int truncate_any(int fd, off_t len)
{
	struct power_handle h = power_handle_of(fd);

	return h.disk ? size_watched(&h, POWER_OP_SIZE, call_truncate, fd, 0, (uint64_t)len) : (int)syscall(SYS_ftruncate, fd, len);
}

static int allocate_any(int fd, int mode, off_t at, off_t len)
{
	struct power_handle h = power_handle_of(fd);

	if (!h.disk || (mode & FALLOC_FL_KEEP_SIZE && !(mode & ~FALLOC_FL_KEEP_SIZE)))
		return (int)syscall(SYS_fallocate, fd, mode, at, len);
	assert(mode == 0); /* of the others the log has no entry */
	return size_watched(&h, POWER_OP_EXTEND, call_allocate, fd, (uint64_t)at, (uint64_t)len);
}

static int allocate_posix(int fd, off_t at, off_t len)
{
	return allocate_any(fd, 0, at, len) == 0 ? 0 : errno;
}

SAME(int, ftruncate, (int fd, off_t len), truncate_any(fd, len))
SAME(int, ftruncate64, (int fd, off_t len), truncate_any(fd, len))
SAME(int, fallocate, (int fd, int mode, off_t at, off_t len), allocate_any(fd, mode, at, len))
SAME(int, fallocate64, (int fd, int mode, off_t at, off_t len), allocate_any(fd, mode, at, len))
SAME(int, posix_fallocate, (int fd, off_t at, off_t len), allocate_posix(fd, at, len))
SAME(int, posix_fallocate64, (int fd, off_t at, off_t len), allocate_posix(fd, at, len))

/* --- flushes --- */

static int flush_watched(const struct power_handle *h)
{
	struct power_op end = { .kind = POWER_OP_FLUSHED, .file = h->file };
	struct power_event event = { .name = h->name, .act = POWER_ACT_FLUSH, .synchronous = true };

	power_lock(h->disk);
	enum power_verdict verdict = power_ask(&event);
	end.failed = verdict == POWER_FAIL;
	end.of = power_add(h->disk, &(struct power_op){ .kind = POWER_OP_FLUSH, .file = h->file });
	power_unlock(h->disk);
	if (verdict == POWER_DIE_HALF)
		power_die();
	take_time(h->disk);
	written(h->disk, &end);
	if (verdict == POWER_DIE_AFTER)
		power_die();
	if (!end.failed)
		return 0;
	errno = event.error;
	return -1;
}

/* Those of other files are left out too: what the machine under the test does when its power goes is no matter. */
static int flush_any(int fd)
{
	struct power_handle h = power_handle_of(fd);

	return h.disk ? flush_watched(&h) : 0;
}

SAME(int, fsync, (int fd), flush_any(fd))
SAME(int, fdatasync, (int fd), flush_any(fd))
