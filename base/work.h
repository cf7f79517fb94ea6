/* Work: threads that do what request threads must not wait for, now or later.
 *
 * A `struct work` owns its threads, which begin when they are wanted, and its queue. Jobs run in the order they fall
 * due, each once; a job may add jobs. A job that is refused because the queue is full is the caller's again. */
#pragma once

#include "base/problem.h"

struct work;
typedef void work_job(void *arg);

/* threads: at most; one begins at once. */
bool work_open(const char *name, unsigned threads, size_t queue_max, struct work **ret, struct problem *p) must_use;
/* Runs job(arg) on a worker after delay_ms. UNAVAILABLE when the queue is full or closing. */
bool work_add(struct work *work, int64_t delay_ms, work_job *job, void *arg, struct problem *p) must_use;
/* Stops taking jobs, drops those not begun (calling drop(arg) when not NULL), waits for the running. */
void work_close(struct work *work, void (*drop)(void *arg));
/* Whether somebody waits in work_close for the job that the calling thread runs: a long one breaks off. */
bool work_ends(void) must_use;
size_t work_waiting(struct work *work); /* jobs that are queued, for tests */
