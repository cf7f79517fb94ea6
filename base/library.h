/* Library: a shared library that is loaded when something first needs it, because it brings more than a server that
 * waits should carry. Nothing is linked with it, so its package stands in README.md's list, and the name of its file,
 * with the version of its interface, in its row here.
 *
 * The file that owns the library writes its calls as a list of X(name, symbol) and makes of it
 *
 *     static struct { CALLS(LIBRARY_FIELD) } lib;
 *     static const struct library_call calls[] = { CALLS(LIBRARY_ROW) };
 *     static struct library library = LIBRARY("libcurl.so.4", calls, set_up);
 *
 * and calls lib.name() once library_load has returned true. What was loaded stays. Any thread. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/problem.h"

struct library_call {
	const char *symbol;
	void *pointer;          /* the function pointer to set */
};
struct library {
	const char *file;
	const struct library_call *calls;
	size_t count;
	bool (*set_up)(struct problem *p); /* once, before the first call; NULL: nothing to do */
	pthread_mutex_t mutex;             /* whoever loads */
	atomic_bool loaded;
};

#define LIBRARY_FIELD(name, symbol) __typeof__(symbol) *name;
#define LIBRARY_ROW(name, symbol) { #symbol, &lib.name },
#define LIBRARY(file, calls, set_up) { file, calls, array_length(calls), set_up, PTHREAD_MUTEX_INITIALIZER }

/* INTERNAL: it is not installed, or another one than was built for; who asks again may have more luck. */
bool library_load(struct library *library, struct problem *p) must_use;
/* Whether library_load would find it, for a start that is to fail now rather than a request later. Keeps nothing. */
bool library_check(const struct library *library, struct problem *p) must_use;
