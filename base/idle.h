/* Idle: threads that wait for something to do. Who came last is called first: its memory is still in the
 * caches, and where few are needed the others' is not touched at all.
 *
 * A `struct idle` lies in what the threads wait for, zero at first, and is guarded by the mutex of that. */
#pragma once

#include <pthread.h>
#include <sys/queue.h>
#include <time.h>

struct idle_thread;
LIST_HEAD(idle, idle_thread);

/* With the mutex, which is free while this waits: until the thread is called, or until a moment of
 * CLOCK_MONOTONIC; NULL: no such moment. What was waited for is to be looked at again. */
void idle_wait(struct idle *idle, pthread_mutex_t *mutex, const struct timespec *until);
/* With the mutex: takes one from those that wait; NULL: nobody does. It must be called then. */
struct idle_thread *idle_take(struct idle *idle);
/* With the mutex or, better, without: who is called wants it. NULL does nothing. */
void idle_call(struct idle_thread *thread);
/* With the mutex. */
void idle_call_all(struct idle *idle);
