/* Preloaded into the server: what it asks of the system itself, not through a library, is refused once, at a turn that
 * the test writes into a file both have mapped. One kind at a time: memory, or what makes a write last. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KIND_MEMORY = 1, KIND_SYNC = 2 };

struct control {
	_Atomic int64_t kind;     /* 0: nothing is refused */
	_Atomic int64_t turn;     /* which one is refused, from 0 */
	_Atomic int64_t count;    /* how many there were */
	_Atomic int64_t refused;
};

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *p, size_t len);

static struct control none, *control = &none;
static uintptr_t program_begin, program_end;

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			program_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			program_end = program_begin + info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the first is the program */
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("TEST_FAULT");
	int fd = path ? open(path, O_RDWR) : -1;
	void *shared = fd >= 0 ? mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	dl_iterate_phdr(find_program, NULL);
	if (shared != MAP_FAILED)
		control = shared;
	if (fd >= 0)
		close(fd);
}

static int refuses(int kind, int error, const void *caller)
{
	if (control->kind != kind || (kind == KIND_MEMORY &&
	    ((uintptr_t)caller < program_begin || (uintptr_t)caller >= program_end)))
		return 0;
	if (control->count++ != control->turn)
		return 0;
	control->refused++;
	errno = error;
	return 1;
}

#define no_memory() refuses(KIND_MEMORY, ENOMEM, __builtin_return_address(0))

void *malloc(size_t len)
{
	return no_memory() ? NULL : __libc_malloc(len);
}

void *calloc(size_t n, size_t len)
{
	return no_memory() ? NULL : __libc_calloc(n, len);
}

void *realloc(void *p, size_t len)
{
	return no_memory() ? NULL : __libc_realloc(p, len);
}

void *reallocarray(void *p, size_t n, size_t len)
{
	size_t whole;

	return no_memory() || __builtin_mul_overflow(n, len, &whole) ? NULL : __libc_realloc(p, whole);
}

char *strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = no_memory() ? NULL : __libc_malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = no_memory() ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

#define REFUSED_SYNC(name, params, args)                                         \
	int name params                                                          \
	{                                                                        \
		int (*next) params = (int (*) params)dlsym(RTLD_NEXT, #name);    \
		return refuses(KIND_SYNC, EIO, NULL) ? -1 : next args;           \
	}
REFUSED_SYNC(fsync, (int fd), (fd))
REFUSED_SYNC(fdatasync, (int fd), (fd))
REFUSED_SYNC(msync, (void *p, size_t len, int flags), (p, len, flags))

/* A write to a file that was opened with O_DSYNC is one and its flush. */
#define REFUSED_WRITE(name)                                                                              \
	ssize_t name(int fd, const void *data, size_t len, off_t at)                                     \
	{                                                                                                \
		ssize_t (*next)(int, const void *, size_t, off_t) =                                      \
			(ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, #name);          \
		int flags = fcntl(fd, F_GETFL);                                                          \
		bool flushes = flags >= 0 && (flags & O_DSYNC);                                          \
		return flushes && refuses(KIND_SYNC, EIO, NULL) ? -1 : next(fd, data, len, at);          \
	}
REFUSED_WRITE(pwrite)
REFUSED_WRITE(pwrite64)
