#include "ca/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* The open file is asked, not the path, so that what was judged is what is read. */
static bool mode_check(int fd, const char *path, unsigned forbidden, struct problem *p)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return problem_internal(p, "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return problem_set(p, PROBLEM_MALFORMED, "%s: not a regular file", path);
	if (st.st_mode & forbidden)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "%s: others can read or change it (mode %04o): chmod 0600 it",
		                   path, st.st_mode & 07777u);
	return true;
}

static bool read_all(int fd, const char *path, size_t max, struct buf *ret, struct problem *p)
{
	size_t begin = ret->len, got = 0;
	uint8_t *at = buf_extend(ret, max + 1);

	if (!at)
		return problem_memory(p);
	while (got <= max) {
		ssize_t n = read(fd, at + got, max + 1 - got);
		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR) {
			buf_shorten(ret, begin);
			return problem_internal(p, "%s: %m", path);
		}
	}
	buf_shorten(ret, begin + (got <= max ? got : 0));
	return got <= max ? true : problem_set(p, PROBLEM_MALFORMED, "%s: larger than %zu bytes", path, max);
}

bool private_read(const char *path, size_t max, unsigned forbidden, struct buf *ret, struct problem *p)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: %m", path);
	if (fd < 0)
		return file_denied(path, PROBLEM_UNAUTHORIZED, p);
	return mode_check(fd, path, forbidden, p) && read_all(fd, path, max, ret, p);
}

/* RLIMIT_MEMLOCK may be too small, as in many containers: the secret is wiped after use anyway. */
void private_lock(const struct buf *b)
{
	if (b->data)
		mlock(b->data, b->cap);
}
