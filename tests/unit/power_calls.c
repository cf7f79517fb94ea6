/* The calls of libc by which files are written, for all of this program and the libraries that it uses. */
#include "tests/unit/power_calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* --- descriptors --- */

enum { FDS_MAX = 4096 };

static struct power_handle handles[FDS_MAX];
static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;

struct power_handle power_handle_of(int fd)
{
	struct power_handle h = {0};

	if (fd < 0 || fd >= FDS_MAX)
		return h;
	pthread_mutex_lock(&handles_lock);
	h = handles[fd];
	pthread_mutex_unlock(&handles_lock);
	return h;
}

static void handle_set(int fd, const struct power_handle *h)
{
	if (fd < 0 || fd >= FDS_MAX)
		return;
	pthread_mutex_lock(&handles_lock);
	handles[fd] = *h;
	pthread_mutex_unlock(&handles_lock);
}

void power_forget(const struct power *disk)
{
	pthread_mutex_lock(&handles_lock);
	for (size_t i = 0; i < FDS_MAX; i++)
		if (handles[i].disk == disk)
			handles[i] = (struct power_handle){0};
	pthread_mutex_unlock(&handles_lock);
}

void power_die(void)
{
	syscall(SYS_kill, getpid(), SIGKILL);
}

enum power_verdict power_ask(struct power_event *event)
{
	event->error = EIO;
	enum power_verdict verdict = power_judge(event);

	if (verdict == POWER_DIE_BEFORE)
		power_die();
	return verdict;
}

/* --- opening --- */

/* The path as from this folder, when the folder is one of ours. */
static const char *path_from(int folder, const char *path, char room[512])
{
	struct power_handle h = path[0] == '/' ? (struct power_handle){0} : power_handle_of(folder);

	if (!h.disk || h.file != 0)
		return path;
	snprintf(room, 512, "%s/%s", h.disk->folder, path);
	return room;
}

/* With the disk's lock held: what the name stands for, and the file that is new is a file of the log. */
static void handle_open(struct power_handle *h, int fd, int flags)
{
	if (h->name[0] == '\0')
		return;
	h->file = power_names_find(&h->disk->names, h->name);
	if (h->file == 0) {
		struct power_op op = { .kind = POWER_OP_NAME, .file = h->disk->files++ };

		assert(op.file < POWER_FILES_MAX);
		strcpy(op.name, h->name);
		power_names_apply(&h->disk->names, &op);
		power_add(h->disk, &op);
		h->file = op.file;
	} else if (flags & O_TRUNC) {
		power_add(h->disk, &(struct power_op){ .kind = POWER_OP_SIZE, .file = h->file });
	}
	handle_set(fd, h);
}

static int open_watched(struct power *disk, const char *name, int folder, const char *path, int flags, mode_t mode)
{
	struct power_handle h = {
		.disk = disk,
		.synchronous = (flags & O_DSYNC) != 0, /* O_SYNC has this bit as well */
		.append = (flags & O_APPEND) != 0,
	};

	assert(strlen(name) < POWER_NAME_MAX);
	strcpy(h.name, name);
	power_lock(disk);
	/* Nothing needs to reach the disk below this one. */
	int fd = (int)syscall(SYS_openat, folder, path, flags & ~(O_SYNC | O_DIRECT), mode);
	if (fd >= 0 && name[0] != '\0')
		handle_open(&h, fd, flags);
	else if (fd >= 0)
		handle_set(fd, &h);
	power_unlock(disk);
	return fd;
}

static int open_boot_id(void)
{
	int fd = (int)syscall(SYS_memfd_create, "boot_id", MFD_CLOEXEC);
	const char *id = power_boot_id();

	assert(fd >= 0);
	assert(syscall(SYS_pwrite64, fd, id, strlen(id), 0) == (long)strlen(id));
	return fd;
}

static int open_any(int folder, const char *path, int flags, mode_t mode)
{
	char room[512];
	const char *name;
	struct power *disk = flags & O_PATH ? NULL : power_find(path_from(folder, path, room), &name);

	if (str_equal(path, "/proc/sys/kernel/random/boot_id"))
		return open_boot_id();
	return disk ? open_watched(disk, name, folder, path, flags, mode)
	            : (int)syscall(SYS_openat, folder, path, flags & ~O_SYNC, mode);
}

#define MODE_OF(flags)                                        \
	va_list args_;                                        \
	va_start(args_, flags);                               \
	mode_t mode = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(args_, mode_t) : 0; \
	va_end(args_)

CALL(int, open, (const char *path, int flags, ...))
{
	MODE_OF(flags);
	return open_any(AT_FDCWD, path, flags, mode);
}

CALL(int, open64, (const char *path, int flags, ...))
{
	MODE_OF(flags);
	return open_any(AT_FDCWD, path, flags, mode);
}

CALL(int, openat, (int folder, const char *path, int flags, ...))
{
	MODE_OF(flags);
	return open_any(folder, path, flags, mode);
}

CALL(int, openat64, (int folder, const char *path, int flags, ...))
{
	MODE_OF(flags);
	return open_any(folder, path, flags, mode);
}

SAME(int, __open_2, (const char *path, int flags), open_any(AT_FDCWD, path, flags, 0))
SAME(int, __open64_2, (const char *path, int flags), open_any(AT_FDCWD, path, flags, 0))
SAME(int, __openat_2, (int folder, const char *path, int flags), open_any(folder, path, flags, 0))
SAME(int, __openat64_2, (int folder, const char *path, int flags), open_any(folder, path, flags, 0))

static int make_temporary(char *path, int flags)
{
	static unsigned made;
	char *end = path + strlen(path) - 6;
	int fd;

	do {
		snprintf(end, 7, "%06x", __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED) & 0xffffff);
		fd = open_any(AT_FDCWD, path, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

SAME(int, mkstemp, (char *path), make_temporary(path, 0))
SAME(int, mkstemp64, (char *path), make_temporary(path, 0))
SAME(int, mkostemp, (char *path, int flags), make_temporary(path, flags))
SAME(int, mkostemp64, (char *path, int flags), make_temporary(path, flags))

CALL(int, close, (int fd))
{
	handle_set(fd, &(struct power_handle){0});
	return (int)syscall(SYS_close, fd);
}

static int dup_as(int fd, int copy)
{
	struct power_handle h = power_handle_of(fd);

	handle_set(copy, &h);
	return copy;
}

SAME(int, dup, (int fd), dup_as(fd, (int)syscall(SYS_dup, fd)))
SAME(int, dup2, (int fd, int to), dup_as(fd, (int)syscall(SYS_dup2, fd, to)))
SAME(int, dup3, (int fd, int to, int flags), dup_as(fd, (int)syscall(SYS_dup3, fd, to, flags)))

/* --- names --- */

/* With the lock held: what has been done is written down. */
static void named(struct power *disk, const struct power_op *op)
{
	power_names_apply(&disk->names, op);
	power_add(disk, op);
}

static int name_done(struct power *disk, enum power_verdict verdict, int error, long rc)
{
	power_unlock(disk);
	if (verdict == POWER_DIE_HALF || verdict == POWER_DIE_AFTER)
		power_die();
	if (verdict == POWER_FAIL)
		errno = error;
	return (int)rc;
}

/* rename or link: from one name of the folder to another. */
static int move(const char *from, const char *to, bool keep)
{
	long call = keep ? SYS_link : SYS_rename;
	const char *name = "", *to_name = "";
	struct power *disk = power_find(from, &name), *to_disk = power_find(to, &to_name);
	struct power_event event = { .name = name, .act = POWER_ACT_NAME };

	if (!disk && !to_disk)
		return (int)syscall(call, from, to);
	assert(disk == to_disk && strlen(to_name) < POWER_NAME_MAX);
	power_lock(disk);
	enum power_verdict verdict = power_ask(&event);
	long rc = verdict == POWER_FAIL ? -1 : syscall(call, from, to);
	if (rc == 0) {
		struct power_op op = { .kind = keep ? POWER_OP_NAME : POWER_OP_RENAME, .file = power_names_find(&disk->names, name) };

		strcpy(op.name, keep ? to_name : name);
		strcpy(op.to, to_name);
		named(disk, &op);
	}
	return name_done(disk, verdict, event.error, rc);
}

static int remove_name(const char *path)
{
	const char *name;
	struct power *disk = power_find(path, &name);

	if (!disk)
		return (int)syscall(SYS_unlink, path);
	struct power_event event = { .name = name, .act = POWER_ACT_NAME };
	power_lock(disk);
	enum power_verdict verdict = power_ask(&event);
	long rc = verdict == POWER_FAIL ? -1 : syscall(SYS_unlink, path);
	if (rc == 0) {
		struct power_op op = { .kind = POWER_OP_UNNAME };

		strcpy(op.name, name);
		named(disk, &op);
	}
	return name_done(disk, verdict, event.error, rc);
}

static int move_at(int from_folder, const char *from, int to_folder, const char *to)
{
	char from_room[512], to_room[512];
	const char *from_path = path_from(from_folder, from, from_room), *to_path = path_from(to_folder, to, to_room);
	const char *name;

	if (!power_find(from_path, &name) && !power_find(to_path, &name))
		return (int)syscall(SYS_renameat, from_folder, from, to_folder, to);
	return move(from_path, to_path, false);
}

static int remove_at(int folder, const char *path, int flags)
{
	char room[512];
	const char *full = path_from(folder, path, room), *name;

	if (flags != 0 || !power_find(full, &name))
		return (int)syscall(SYS_unlinkat, folder, path, flags);
	return remove_name(full);
}

SAME(int, rename, (const char *from, const char *to), move(from, to, false))
SAME(int, link, (const char *from, const char *to), move(from, to, true))
SAME(int, unlink, (const char *path), remove_name(path))
SAME(int, renameat, (int from_folder, const char *from, int to_folder, const char *to), move_at(from_folder, from, to_folder, to))
SAME(int, unlinkat, (int folder, const char *path, int flags), remove_at(folder, path, flags))
