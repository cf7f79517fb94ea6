#include "acme/probe_queue.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

bool probe_queue_open(unsigned threads, size_t max, struct probe_queue *ret, struct problem *p)
{
	*ret = (struct probe_queue){ .max = max, .threads = threads };
	TAILQ_INIT(&ret->list);
	ret->running = calloc(threads, sizeof(struct probe *));
	return ret->running || problem_memory(p);
}

void probe_queue_close(struct probe_queue *queue)
{
	struct probe *probe;

	while (queue->count > 0 && (probe = TAILQ_FIRST(&queue->list)))
		probe_queue_end(queue, probe);
	free(queue->running);
}

struct probe *probe_queue_find(const struct probe_queue *queue, const char *authorization, const char *challenge)
{
	struct probe *probe;

	TAILQ_FOREACH(probe, &queue->list, entry)
		if (str_equal(probe->authorization, authorization) && str_equal(probe->challenge, challenge))
			return probe;
	return NULL;
}

bool probe_queue_room(const struct probe_queue *queue, const char *account, struct problem *p)
{
	size_t share = queue->max / 4 ? queue->max / 4 : 1, n = 0;
	const struct probe *probe;

	if (queue->count >= queue->max)
		return problem_unavailable(p, 5, "%zu challenges are in flight", queue->count);
	if (queue->count < share)
		return true;
	TAILQ_FOREACH(probe, &queue->list, entry)
		n += str_equal(probe->account, account);
	return n < share || problem_unavailable(p, 5, "account %s has %zu challenges in flight", account, n);
}

static void changed_setup(struct probe *probe)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&probe->changed, &attr);
	pthread_condattr_destroy(&attr);
}

bool probe_queue_add(struct probe_queue *queue, const struct probe_request *request, int64_t due,
                     struct probe **ret, struct problem *p)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return problem_memory(p);
	snprintf(probe->authorization, sizeof(probe->authorization), "%s", request->authorization);
	snprintf(probe->account, sizeof(probe->account), "%s", request->account);
	snprintf(probe->challenge, sizeof(probe->challenge), "%s", request->challenge);
	snprintf(probe->target, sizeof(probe->target), "%s", request->target);
	probe->due = due;
	probe->refs = 1;
	changed_setup(probe);
	TAILQ_INSERT_TAIL(&queue->list, probe, entry);
	queue->count++;
	*ret = probe;
	return true;
}

static size_t share(const struct probe_queue *queue, size_t of, size_t parts)
{
	size_t n = queue->threads * of / parts;

	return n ? n : 1;
}

/* Whether a thread is left for it: three quarters for one account, half for one target and half
 * for what has failed before, so that hosts that let us wait leave room for the others. ret_load:
 * how many its account has running. */
static bool is_admissible(const struct probe_queue *queue, const struct probe *probe, size_t *ret_load)
{
	size_t account = 0, target = 0, failed = 0;

	for (size_t i = 0; i < queue->running_count; i++) {
		const struct probe *other = queue->running[i];

		account += str_equal(other->account, probe->account);
		target += str_equal(other->target, probe->target);
		failed += other->tries > 0;
	}
	*ret_load = account;
	return account < share(queue, 3, 4) && target < share(queue, 1, 2) &&
	       (probe->tries == 0 || failed < share(queue, 1, 2));
}

static struct probe *pick(const struct probe_queue *queue, int64_t now)
{
	struct probe *probe, *best = NULL;
	size_t load, best_load = SIZE_MAX;

	TAILQ_FOREACH(probe, &queue->list, entry) {
		if (probe->running || probe->due > now || !is_admissible(queue, probe, &load) || load >= best_load)
			continue;
		best = probe;
		best_load = load;
		if (load == 0)
			break;
	}
	return best;
}

struct probe *probe_queue_take(struct probe_queue *queue, int64_t now)
{
	struct probe *probe = pick(queue, now);

	if (!probe)
		return NULL;
	assert(queue->running_count < queue->threads);
	probe->running = true;
	queue->running[queue->running_count++] = probe;
	return probe;
}

void probe_queue_done(struct probe_queue *queue, struct probe *probe)
{
	size_t i = 0;

	while (queue->running[i] != probe)
		i++;
	queue->running[i] = queue->running[--queue->running_count];
	probe->running = false;
}

void probe_queue_end(struct probe_queue *queue, struct probe *probe)
{
	TAILQ_REMOVE(&queue->list, probe, entry);
	queue->count--;
	probe->ended = true;
	probe_unref(probe);
}

void probe_unref(struct probe *probe)
{
	if (--probe->refs > 0)
		return;
	pthread_cond_destroy(&probe->changed);
	free(probe);
}
