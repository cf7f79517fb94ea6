#include "policy/key_turn.h"

#include <pthread.h>
#include <unistd.h>

enum { WAIT_EACH = 2, RETRY_AFTER = 5 }; /* so many wait for each that runs; seconds */

static struct turn {
	pthread_mutex_t lock;
	pthread_cond_t free;
	unsigned running, waiting;
} turn = { .lock = PTHREAD_MUTEX_INITIALIZER, .free = PTHREAD_COND_INITIALIZER };

static unsigned places(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > 16 ? 16 : (unsigned)count;
}

bool key_turn_begin(struct problem *p)
{
	unsigned most = places();

	pthread_mutex_lock(&turn.lock);
	bool admitted = turn.running < most || turn.waiting < WAIT_EACH * most;
	turn.waiting += admitted;
	while (admitted && turn.running >= most)
		pthread_cond_wait(&turn.free, &turn.lock);
	turn.waiting -= admitted;
	turn.running += admitted;
	pthread_mutex_unlock(&turn.lock);
	return admitted ||
	       problem_unavailable(p, RETRY_AFTER, "%u RSA keys are made at once, and as many requests wait as may",
	                           most);
}

void key_turn_end(void)
{
	pthread_mutex_lock(&turn.lock);
	turn.running--;
	pthread_mutex_unlock(&turn.lock);
	pthread_cond_signal(&turn.free);
}
