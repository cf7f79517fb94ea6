#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t size_hint(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 ? (size_t)st.st_size : 0;
}

/* Reads to the end of the file; one byte more than max is asked for, to see that there is more. */
static bool read_all(int fd, const char *path, size_t max, struct buf *ret, struct problem *p)
{
	size_t begin = ret->len, chunk = size_hint(fd) + 1;

	if (chunk < 1024)
		chunk = 1024;
	for (;;) {
		size_t got = ret->len - begin;
		size_t want = chunk <= max - got ? chunk : max - got + 1;
		uint8_t *to = buf_extend(ret, want);
		if (!to)
			return problem_memory(p);
		ssize_t n = read(fd, to, want);
		buf_shorten(ret, begin + got + (n > 0 ? (size_t)n : 0));
		if (n < 0 && errno != EINTR)
			return problem_internal(p, "%s: %m", path);
		if (n == 0)
			return true;
		if (ret->len - begin > max)
			return problem_internal(p, "%s: larger than %zu bytes", path, max);
	}
}

/* Mostly a file that root made for a service of another user. */
bool file_denied(const char *path, enum problem_kind kind, struct problem *p)
{
	int why = errno;
	struct stat st;
	if (why == EACCES && stat(path, &st) == 0 && st.st_uid != geteuid())
		return problem_set(p, kind, "%s: %s: it belongs to user %u, and this is user %u", path, strerror(why),
		                   st.st_uid, geteuid());
	return problem_set(p, kind, "%s: %s", path, strerror(why));
}

bool file_read(const char *path, size_t max, struct buf *ret, struct problem *p)
{
	size_t begin = ret->len;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	assert(max < BUF_MAX);
	if (ret->failed)
		return problem_memory(p);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: %m", path);
	if (fd < 0)
		return file_denied(path, PROBLEM_INTERNAL, p);
	if (!read_all(fd, path, max, ret, p)) {
		buf_shorten(ret, begin);
		ret->failed = false;
		return false;
	}
	return true;
}

static bool write_all(int fd, struct bytes data)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.data, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data = BYTES(data.data + n, data.len - (size_t)n);
	}
	return true;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash && slash > path ? (size_t)(slash - path) : 1;
	return strndup(slash ? path : ".", len);
}

bool file_sync_folder(const char *folder, struct problem *p)
{
	auto_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? true : problem_internal(p, "%s: folder: %m", folder);
}

bool file_sync_above(const char *path, struct problem *p)
{
	auto_free char *folder = folder_of(path);

	return folder ? file_sync_folder(folder, p) : problem_memory(p);
}

/* Whether this is root in a folder of somebody else, and whose. */
static bool has_heir(const char *path, struct stat *ret_folder)
{
	auto_free char *folder = geteuid() == 0 ? folder_of(path) : NULL;
	return folder && stat(folder, ret_folder) == 0 && ret_folder->st_uid != 0;
}

void file_give(const char *path)
{
	struct stat st, folder;
	auto_fd int fd = has_heir(path, &folder) ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != 0)
		return;
	/* A second name of the file may be outside of the folder; and the path another's by now, the descriptor not. */
	if ((S_ISREG(st.st_mode) && st.st_nlink == 1) || S_ISDIR(st.st_mode))
		(void)!fchownat(fd, "", folder.st_uid, folder.st_gid, AT_EMPTY_PATH);
}

/* Gives the finished file its name. link(2), unlike rename(2), does not replace. */
static int move_in(const char *beside, const char *path, bool replace)
{
	if (replace)
		return rename(beside, path);
	return link(beside, path) == 0 ? unlink(beside) : -1;
}

static bool write_file(const char *path, struct bytes data, unsigned mode, bool replace, bool give, struct problem *p)
{
	auto_free char *beside = mem_printf("%s.XXXXXX", path);
	auto_fd int fd = beside ? mkostemp(beside, O_CLOEXEC) : -1; /* 0600 */
	struct stat folder;

	if (!beside)
		return problem_memory(p);
	if (fd < 0)
		return problem_internal(p, "%s: %m", beside);
	if (give && has_heir(path, &folder))
		(void)!fchown(fd, folder.st_uid, folder.st_gid);
	if (!write_all(fd, data) || fchmod(fd, mode) != 0 || fsync(fd) != 0 ||
	    move_in(beside, path, replace) != 0) {
		problem_set(p, errno == EEXIST ? PROBLEM_CONFLICT : PROBLEM_INTERNAL, "%s: %m", path);
		unlink(beside);
		return false;
	}
	return file_sync_above(path, p);
}

bool file_write(const char *path, struct bytes data, unsigned mode, struct problem *p)
{
	return write_file(path, data, mode, true, true, p);
}

bool file_write_new(const char *path, struct bytes data, unsigned mode, struct problem *p)
{
	return write_file(path, data, mode, false, true, p);
}

bool file_export(const char *path, struct bytes data, unsigned mode, struct problem *p)
{
	return write_file(path, data, mode, true, false, p);
}
