#include "base/idle.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>

/* On its own stack for as long as it waits. */
struct idle_thread {
	sem_t called;
	bool taken;
	LIST_ENTRY(idle_thread) entry;
};

/* false: the moment has come. */
static bool wait_for_call(struct idle_thread *self, const struct timespec *until)
{
	while ((until ? sem_clockwait(&self->called, CLOCK_MONOTONIC, until) : sem_wait(&self->called)) != 0) {
		if (errno == ETIMEDOUT)
			return false;
		assert(errno == EINTR);
	}
	return true;
}

void idle_wait(struct idle *idle, pthread_mutex_t *mutex, const struct timespec *until)
{
	struct idle_thread self = { .taken = false };

	sem_init(&self.called, 0, 0);
	LIST_INSERT_HEAD(idle, &self, entry);
	pthread_mutex_unlock(mutex);
	bool called = wait_for_call(&self, until);
	pthread_mutex_lock(mutex);
	if (!self.taken)
		LIST_REMOVE(&self, entry);
	else if (!called)
		wait_for_call(&self, NULL); /* the call is on its way */
	sem_destroy(&self.called);
}

struct idle_thread *idle_take(struct idle *idle)
{
	struct idle_thread *last = LIST_FIRST(idle);

	if (last) {
		LIST_REMOVE(last, entry);
		last->taken = true;
	}
	return last;
}

void idle_call(struct idle_thread *thread)
{
	if (thread)
		sem_post(&thread->called);
}

void idle_call_all(struct idle *idle)
{
	for (struct idle_thread *thread; (thread = idle_take(idle));)
		idle_call(thread);
}
