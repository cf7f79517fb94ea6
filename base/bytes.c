#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAP_FIRST = 512 }; /* most texts end within it: growing costs more than room that is not used */

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n > 0 ? memcmp(a.data, b.data, n) : 0;

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

bool bytes_start(struct bytes b, struct bytes prefix)
{
	return b.len >= prefix.len && bytes_equal(BYTES(b.data, prefix.len), prefix);
}

bool bytes_take(struct bytes *in, size_t len, struct bytes *ret)
{
	if (in->len < len)
		return false;
	*ret = BYTES(in->data, len);
	*in = BYTES(in->data + len, in->len - len);
	return true;
}

static size_t grown_capacity(size_t cap, size_t wanted)
{
	size_t grown = cap < CAP_FIRST ? CAP_FIRST : cap * 2;

	if (grown > (size_t)BUF_MAX + 1)
		grown = (size_t)BUF_MAX + 1;
	return grown > wanted ? grown : wanted;
}

/* realloc would leave a copy of a secret behind. */
static bool buf_grow(struct buf *b, size_t len)
{
	if (b->failed)
		return false;
	size_t cap = len <= BUF_MAX - b->len ? grown_capacity(b->cap, b->len + len + 1) : 0;
	uint8_t *data = cap > 0 ? malloc(cap) : NULL;
	if (!data) {
		b->failed = true;
		return false;
	}
	if (b->data) {
		memcpy(data, b->data, b->len);
		mem_wipe(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

/* Room for len more bytes and the NUL. */
static inline bool buf_reserve(struct buf *b, size_t len)
{
	return (b->data && !b->failed && len < b->cap - b->len) || buf_grow(b, len);
}

static inline uint8_t *extend(struct buf *b, size_t len)
{
	if (!buf_reserve(b, len))
		return NULL;
	uint8_t *begin = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return begin;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	return extend(b, len);
}

void buf_shorten(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	uint8_t *to = len > 0 ? extend(b, len) : NULL;

	if (to)
		memcpy(to, data, len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_strs(struct buf *b, ...)
{
	const char *s;
	va_list args;

	va_start(args, b);
	while ((s = va_arg(args, const char *)))
		buf_add_str(b, s);
	va_end(args);
}

void buf_add_char(struct buf *b, char c)
{
	uint8_t *to = extend(b, 1);

	if (to)
		*to = (uint8_t)c;
}

void buf_add_decimal(struct buf *b, uint64_t n)
{
	char text[STR_DECIMAL_SIZE];

	buf_add_str(b, str_decimal(n, text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;

	if (!buf_reserve(b, 0))
		return;
	size_t room = b->cap - b->len;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf((char *)b->data + b->len, room, fmt, args);
	if (n >= 0 && (size_t)n >= room && buf_reserve(b, (size_t)n))
		n = vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(args);
	if (n < 0)
		b->failed = true;
	if (!b->failed)
		b->len += (size_t)n;
	b->data[b->len] = '\0';
}

void buf_clear(struct buf *b)
{
	b->failed = false;
	buf_shorten(b, 0);
}

struct bytes buf_bytes(const struct buf *b)
{
	return BYTES(b->data, b->len);
}

const char *buf_text(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}

void *buf_take(struct buf *b, size_t *ret_len)
{
	if (!buf_reserve(b, 0)) {
		buf_free(b);
		b->failed = true;
		return NULL;
	}
	buf_shorten(b, b->len);
	if (ret_len)
		*ret_len = b->len;
	void *data = b->data;
	*b = (struct buf){0};
	return data;
}

bool buf_check(const struct buf *b, struct problem *p)
{
	return b->failed ? problem_memory(p) : true;
}

void buf_free(struct buf *b)
{
	if (b->data)
		mem_wipe(b->data, b->cap);
	free(b->data);
	*b = (struct buf){0};
}

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

/* Makes a rename within the folder durable. */
static bool sync_folder(const char *path)
{
	auto_free char *folder = folder_of(path);
	auto_fd int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && fsync(fd) == 0;
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
	return sync_folder(path) ? true : problem_internal(p, "%s: folder: %m", path);
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
