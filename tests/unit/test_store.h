/* What the tests of store/ share: a folder that goes away, engines, ids. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/random.h"
#include "store/store.h"

#define must(call)                                                                                        \
	do {                                                                                              \
		struct problem must_p_ = {0};                                                             \
		struct problem *p = &must_p_;                                                             \
		if (!(call))                                                                              \
			fail_msg("%s: %s: %s", #call, problem_kind_name(p->kind),                         \
			         problem_cause(p));                                     \
	} while (0)

#define must_refuse(want_kind, call)                                                                      \
	do {                                                                                              \
		struct problem must_p_ = {0};                                                             \
		struct problem *p = &must_p_;                                                             \
		assert_false(call);                                                                       \
		assert_string_equal(problem_kind_name(p->kind), problem_kind_name(want_kind));            \
		problem_done(p);                                                                          \
	} while (0)

static inline char *folder_make(void)
{
	char *folder = mem_printf("%s/enrolld-test-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

	assert_non_null(mkdtemp(folder));
	return folder;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void folder_remove(char *folder)
{
	nftw(folder, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

/* A process of the test's own: it ends when the test does, however that ends. */
static inline pid_t child_start(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
		_exit(9);
	return pid;
}

/* The same id for the same number, of the form of random_id. */
static inline const char *id_of(unsigned n, char ret[RANDOM_ID_SIZE])
{
	snprintf(ret, RANDOM_ID_SIZE, "%021uA", n);
	return ret;
}
