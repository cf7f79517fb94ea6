#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"

static bool refuse(struct problem *p, const char *what, const char *path)
{
	return problem_internal(p, "%s %s: %s", what, path, strerror(errno));
}

static bool no_folder(struct problem *p, const char *folder)
{
	if (errno == ENOENT)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no folder %s", folder);
	if (errno == ENOTDIR)
		return problem_set(p, PROBLEM_CONFLICT, "%s is not a folder", folder);
	return refuse(p, "opening", folder);
}

static bool make_one(const char *path, mode_t mode, struct problem *p)
{
	if (mkdir(path, mode) == 0) {
		file_give(path);
		return file_sync_above(path, p);
	}
	return errno == EEXIST ? true : no_folder(p, path);
}

static bool make_above(const char *folder, struct problem *p)
{
	auto_free char *path = strdup(folder);

	if (!path)
		return problem_memory(p);
	for (char *slash = strchr(path + strspn(path, "/"), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_one(path, 0755, p))
			return false;
		*slash = '/';
	}
	return true;
}

/* The umask can take the owner's own bits away, so the mode is set after. A folder of another owner
 * is left as it is: a volume in Kubernetes is root's, and open to us by its group. */
static bool narrow(const char *folder, struct problem *p)
{
	struct stat st;

	if (stat(folder, &st) != 0)
		return no_folder(p, folder);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return no_folder(p, folder);
	}
	if (st.st_uid == geteuid() && (st.st_mode & 0777) != 0700 && chmod(folder, 0700) != 0)
		return refuse(p, "chmod 0700", folder);
	return access(folder, X_OK) == 0 ? true : file_denied(folder, PROBLEM_INTERNAL, p);
}

bool folder_prepare(const char *folder, bool create, struct problem *p)
{
	if (create && (!make_above(folder, p) || !make_one(folder, 0700, p)))
		return false;
	return narrow(folder, p);
}

static bool is_empty(const char *folder, bool *ret, struct problem *p)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return no_folder(p, folder);
	*ret = true;
	while ((entry = readdir(dir)))
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			*ret = false;
	closedir(dir);
	return true;
}

bool folder_prepare_empty(const char *folder, struct problem *p)
{
	bool empty = false;

	if (!make_one(folder, 0700, p) || !is_empty(folder, &empty, p))
		return false;
	if (!empty)
		return problem_set(p, PROBLEM_CONFLICT, "the folder %s is not empty", folder);
	return narrow(folder, p);
}

bool folder_has(const char *folder, const char *name)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);

	return path && access(path, F_OK) == 0;
}

static bool held_by_other(const char *folder, int fd, struct problem *p)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	return problem_set(p, PROBLEM_CONFLICT, "the folder %s is in use by another server, process %s", folder,
	                   pid[0] != '\0' ? pid : "unknown");
}

/* The kernel drops a flock when its process ends, however it ends. The number in the file is for
 * people only. */
bool folder_lock(const char *folder, int *ret_fd, struct problem *p)
{
	auto_free char *path = mem_printf("%s/lock", folder);
	auto_fd int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return path ? refuse(p, "opening", path) : problem_memory(p);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? held_by_other(folder, fd, p) : refuse(p, "locking", path);
	if ((fchmod(fd, 0600) != 0 && errno != EPERM) || ftruncate(fd, 0) != 0 ||
	    dprintf(fd, "%ld\n", (long)getpid()) < 0)
		return refuse(p, "writing", path);
	file_give(path);
	*ret_fd = fd;
	fd = -1;
	return true;
}
