#include "base/work.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/idle.h"

struct job {
	int64_t due; /* clock_monotonic_ms */
	uint64_t number; /* jobs due together run in the order they were added */
	work_job *run;
	void *arg;
};

struct work {
	pthread_mutex_t mutex; /* guards all below */
	struct idle idle;
	struct job *heap; /* the first one is due first */
	size_t length, capacity, length_max;
	uint64_t added;
	bool closing;
	pthread_t *threads;
	unsigned thread_count, thread_max;
	char name[12];
};

static _Thread_local struct work *current; /* whose job the thread runs */

static bool runs_before(const struct job *a, const struct job *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void heap_put(struct work *w, struct job job)
{
	size_t at = w->length++;

	for (; at > 0 && runs_before(&job, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = job;
}

static struct job heap_take(struct work *w)
{
	struct job first = w->heap[0], last = w->heap[--w->length];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < w->length) {
		if (child + 1 < w->length && runs_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!runs_before(&w->heap[child], &last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	return first;
}

static void wait_until(struct work *w, int64_t due)
{
	struct timespec ts = { .tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000 };

	idle_wait(&w->idle, &w->mutex, &ts);
}

static void *worker(void *arg);

/* With the mutex. Signals are for the threads that wait for them. */
static bool start_thread(struct work *w)
{
	pthread_t *thread = &w->threads[w->thread_count];
	sigset_t all, before;
	char name[16];

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(thread, NULL, worker, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno)
		return false;
	snprintf(name, sizeof(name), "%s%u", w->name, w->thread_count++ % 1000);
	pthread_setname_np(*thread, name);
	return true;
}

/* With the mutex: somebody who waits and is to be called, or a new thread, which comes by itself; it costs memory, so
 * it begins when all others are at work. Without it these do what there is, later. */
static struct idle_thread *find_thread(struct work *w)
{
	struct idle_thread *thread = idle_take(&w->idle);

	if (!thread && w->thread_count < w->thread_max)
		(void)!start_thread(w);
	return thread;
}

/* Waits for the first job to fall due. Whoever takes one calls another thread, ret_other, to watch the
 * rest: nobody may be waiting for the new first one, or only for a later one. */
static bool next_job(struct work *w, struct job *ret, struct idle_thread **ret_other)
{
	while (!w->closing) {
		if (w->length == 0) {
			idle_wait(&w->idle, &w->mutex, NULL);
		} else if (w->heap[0].due > clock_monotonic_ms()) {
			wait_until(w, w->heap[0].due);
		} else {
			*ret = heap_take(w);
			*ret_other = w->length > 0 ? find_thread(w) : NULL;
			return true;
		}
	}
	return false;
}

static void *worker(void *arg)
{
	struct work *w = arg;
	struct idle_thread *other;
	struct job job;

	current = w;
	pthread_mutex_lock(&w->mutex);
	while (next_job(w, &job, &other)) {
		pthread_mutex_unlock(&w->mutex);
		idle_call(other);
		job.run(job.arg);
		pthread_mutex_lock(&w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

bool work_open(const char *name, unsigned threads, size_t queue_max, struct work **ret, struct problem *p)
{
	struct work *w = calloc(1, sizeof(*w));

	assert(threads > 0 && queue_max > 0);
	if (!w)
		return problem_memory(p);
	pthread_mutex_init(&w->mutex, NULL);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->length_max = queue_max;
	w->threads = calloc(threads, sizeof(*w->threads));
	w->thread_max = threads;
	pthread_mutex_lock(&w->mutex);
	bool started = w->threads && start_thread(w);
	pthread_mutex_unlock(&w->mutex);
	if (!started) {
		problem_internal(p, "%s: cannot start a thread: %m", name);
		work_close(w, NULL);
		return false;
	}
	*ret = w;
	return true;
}

static bool make_room(struct work *w, struct problem *p)
{
	if (w->length < w->capacity)
		return true;
	size_t capacity = w->capacity ? w->capacity * 2 : 64;
	if (capacity > w->length_max)
		capacity = w->length_max;
	struct job *heap = reallocarray(w->heap, capacity, sizeof(*heap));
	if (!heap)
		return problem_memory(p);
	w->heap = heap;
	w->capacity = capacity;
	return true;
}

static bool add_locked(struct work *w, struct job job, struct problem *p)
{
	if (w->closing)
		return problem_unavailable(p, 1, "%s: closing", w->name);
	if (w->length >= w->length_max)
		return problem_unavailable(p, 1, "%s: %zu jobs are waiting already", w->name, w->length);
	if (!make_room(w, p))
		return false;
	job.number = w->added++;
	heap_put(w, job);
	return true;
}

enum { DELAY_MAX = INT32_MAX }; /* 24 days */

/* The clock's milliseconds are cut off, so one is added: a job is never early. */
bool work_add(struct work *work, int64_t delay_ms, work_job *run, void *arg, struct problem *p)
{
	int64_t delay = delay_ms <= 0 ? 0 : delay_ms >= DELAY_MAX ? DELAY_MAX : delay_ms + 1;
	struct job job = { .due = clock_monotonic_ms() + delay, .run = run, .arg = arg };

	pthread_mutex_lock(&work->mutex);
	bool added = add_locked(work, job, p);
	struct idle_thread *thread = added ? find_thread(work) : NULL;
	pthread_mutex_unlock(&work->mutex);
	idle_call(thread);
	return added;
}

void work_close(struct work *work, void (*drop)(void *arg))
{
	if (!work)
		return;
	pthread_mutex_lock(&work->mutex);
	work->closing = true;
	idle_call_all(&work->idle);
	pthread_mutex_unlock(&work->mutex);
	for (unsigned i = 0; i < work->thread_count; i++)
		pthread_join(work->threads[i], NULL);
	for (size_t i = 0; drop && i < work->length; i++)
		drop(work->heap[i].arg);
	pthread_mutex_destroy(&work->mutex);
	free(work->threads);
	free(work->heap);
	free(work);
}

bool work_ends(void)
{
	if (!current)
		return false;
	pthread_mutex_lock(&current->mutex);
	bool closing = current->closing;
	pthread_mutex_unlock(&current->mutex);
	return closing;
}

size_t work_waiting(struct work *work)
{
	pthread_mutex_lock(&work->mutex);
	size_t length = work->length;
	pthread_mutex_unlock(&work->mutex);
	return length;
}
