#include "tests/unit/power_log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

enum { DISKS_MAX = 8 };

static struct power *disks[DISKS_MAX];
static struct {
	power_hook *hook;
	void *arg;
} judge;

/* --- the machine: a boot id that all processes see --- */

struct machine {
	unsigned boots;
	char id[38];
};
static struct machine *machine;

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert(p != MAP_FAILED);
	return p;
}

__attribute__((constructor)) static void machine_start(void)
{
	machine = shared(sizeof(*machine));
	power_boot_new();
}

const char *power_boot_id(void)
{
	return machine->id;
}

void power_boot_new(void)
{
	snprintf(machine->id, sizeof(machine->id), "%08x-0000-4000-8000-%012x\n", ++machine->boots, (unsigned)getpid());
}

void power_boot_of(const struct power *disk)
{
	snprintf(machine->id, sizeof(machine->id), "%.36s\n", disk->boot_id);
}

/* --- the log --- */

void power_lock(struct power *disk)
{
	if (pthread_mutex_lock(&disk->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&disk->lock);
}

void power_unlock(struct power *disk)
{
	pthread_mutex_unlock(&disk->lock);
}

size_t power_add(struct power *disk, const struct power_op *op)
{
	assert(disk->n < POWER_OPS_MAX);
	disk->op[disk->n] = *op;
	return disk->n++;
}

unsigned power_names_find(const struct power_names *names, const char *name)
{
	for (size_t i = 0; i < POWER_FILES_MAX; i++)
		if (names->v[i].name[0] != '\0' && str_equal(names->v[i].name, name))
			return names->v[i].file;
	return 0;
}

static void names_drop(struct power_names *names, const char *name)
{
	for (size_t i = 0; i < POWER_FILES_MAX; i++)
		if (str_equal(names->v[i].name, name))
			names->v[i].name[0] = '\0';
}

void power_names_set(struct power_names *names, const char *name, unsigned file)
{
	size_t i = 0;

	names_drop(names, name);
	while (i < POWER_FILES_MAX && names->v[i].name[0] != '\0')
		i++;
	assert(i < POWER_FILES_MAX && strlen(name) < POWER_NAME_MAX);
	strcpy(names->v[i].name, name);
	names->v[i].file = file;
}

void power_names_apply(struct power_names *names, const struct power_op *op)
{
	if (op->kind == POWER_OP_NAME) {
		power_names_set(names, op->name, op->file);
	} else {
		names_drop(names, op->name);
		if (op->kind == POWER_OP_RENAME)
			power_names_set(names, op->to, op->file);
	}
}

struct power *power_find(const char *path, const char **ret_name)
{
	for (size_t i = 0; i < DISKS_MAX; i++) {
		size_t len = disks[i] ? strlen(disks[i]->folder) : 0;

		if (len == 0 || strncmp(path, disks[i]->folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
			continue;
		*ret_name = path + len + strspn(path + len, "/");
		if (!strchr(*ret_name, '/'))
			return disks[i];
	}
	return NULL;
}

enum power_verdict power_judge(struct power_event *event)
{
	return judge.hook ? judge.hook(judge.arg, event) : POWER_PASS;
}

void power_hook_set(power_hook *hook, void *arg)
{
	judge.hook = hook;
	judge.arg = arg;
}

/* --- a watch --- */

static void lock_init(struct power *disk)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&disk->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* All of a file but its zeros. */
static void take_in_bytes(struct power *disk, unsigned file, int fd, uint64_t size)
{
	static const uint8_t zeros[4096];

	power_add(disk, &(struct power_op){ .kind = POWER_OP_SIZE, .file = file, .len = size });
	for (uint64_t at = 0; at < size; at += sizeof(zeros)) {
		struct power_op op = { .kind = POWER_OP_WRITE, .file = file, .at = at, .data = disk->data_len };
		ssize_t got = pread(fd, disk->data + op.data, sizeof(zeros), (off_t)at);

		assert(got == (ssize_t)(size - at < sizeof(zeros) ? size - at : sizeof(zeros)));
		op.len = (uint64_t)got;
		if (memcmp(disk->data + op.data, zeros, op.len) == 0)
			continue;
		disk->data_len += op.len;
		power_add(disk, &op);
	}
}

/* What the folder holds at first is an entry like any other, but flushed. */
static void take_in(struct power *disk, int folder, const char *name)
{
	auto_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	struct power_op named = { .kind = POWER_OP_NAME, .file = disk->files++ };
	struct stat st;

	assert(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && strlen(name) < POWER_NAME_MAX);
	strcpy(named.name, name);
	power_names_apply(&disk->names, &named);
	power_add(disk, &named);
	if (!str_equal(name, disk->scratch))
		take_in_bytes(disk, named.file, fd, (uint64_t)st.st_size);
	power_add(disk, &(struct power_op){ .kind = POWER_OP_FLUSHED, .file = named.file, .of = disk->n });
}

static void take_in_all(struct power *disk)
{
	DIR *dir = opendir(disk->folder);
	const struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			take_in(disk, dirfd(dir), entry->d_name);
	closedir(dir);
	power_add(disk, &(struct power_op){ .kind = POWER_OP_FLUSHED, .of = disk->n });
	disk->begin = disk->n;
}

struct power *power_watch(const char *folder, const char *scratch)
{
	struct power *disk = shared(sizeof(*disk) + POWER_DATA_MAX);
	size_t i = 0;

	lock_init(disk);
	snprintf(disk->folder, sizeof(disk->folder), "%s", folder);
	snprintf(disk->scratch, sizeof(disk->scratch), "%s", scratch ? scratch : "");
	snprintf(disk->boot_id, sizeof(disk->boot_id), "%.36s", machine->id);
	disk->files = 1;
	take_in_all(disk);
	while (i < DISKS_MAX && disks[i])
		i++;
	assert(i < DISKS_MAX);
	disks[i] = disk;
	return disk;
}

void power_end(struct power *disk)
{
	if (!disk)
		return;
	for (size_t i = 0; i < DISKS_MAX; i++)
		if (disks[i] == disk)
			disks[i] = NULL;
	power_forget(disk);
	power_replay_free(disk->replay);
	pthread_mutex_destroy(&disk->lock);
	munmap(disk, sizeof(*disk) + POWER_DATA_MAX);
}

void power_slow(struct power *disk, unsigned microseconds)
{
	disk->slow = microseconds;
}

void power_lie(struct power *disk)
{
	disk->lies = true;
}

size_t power_begin(const struct power *disk)
{
	return disk->begin;
}

size_t power_now(struct power *disk)
{
	power_lock(disk);
	size_t n = disk->n;
	power_unlock(disk);
	return n;
}

size_t power_flush(struct power *disk, uint64_t which)
{
	size_t flushes = 0, point = disk->begin;

	for (size_t i = disk->begin; i < disk->n; i++)
		flushes += disk->op[i].kind == POWER_OP_FLUSH;
	uint64_t n = flushes > 0 ? which % flushes : 0;
	for (size_t i = disk->begin; i < disk->n && flushes > 0; i++)
		if (disk->op[i].kind == POWER_OP_FLUSH && n-- == 0)
			point = i;
	return point;
}

void power_mark(struct power *disk, enum power_mark mark, uint64_t value)
{
	power_lock(disk);
	power_add(disk, &(struct power_op){ .kind = POWER_OP_MARK, .mark = mark, .at = value });
	power_unlock(disk);
}

uint64_t power_marked(struct power *disk, size_t point, enum power_mark mark)
{
	uint64_t most = 0;

	for (size_t i = disk->begin; i < point; i++) {
		const struct power_op *op = &disk->op[i];

		if (op->kind != POWER_OP_MARK)
			continue;
		if (op->mark == mark && op->at > most)
			most = op->at;
		if (op->mark == POWER_REFUSED && mark == POWER_BEGUN && op->at == most)
			most--;
	}
	return most;
}
