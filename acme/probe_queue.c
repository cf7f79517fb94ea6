#include "acme/probe_queue.h"

#include <assert.h>
#include <stdio.h>

enum { STUCK_MS = 1000 };

bool probe_queue_open(unsigned threads, size_t max, struct probe_queue *ret, struct problem *p)
{
	*ret = (struct probe_queue){ .max = max, .threads = threads };
	TAILQ_INIT(&ret->list);
	ret->running = calloc(threads, sizeof(struct probe *));
	return (ret->running || problem_memory(p)) && probe_history_open(&ret->history, p);
}

void probe_queue_close(struct probe_queue *queue)
{
	struct probe *probe;

	while (queue->count > 0 && (probe = TAILQ_FIRST(&queue->list)))
		probe_queue_end(queue, probe);
	free(queue->running);
	probe_history_close(&queue->history);
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
	pthread_cond_init(&probe->changed, NULL);
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

/* What runs, counted for one pick. */
struct load {
	size_t of_class[PROBE_CLASS_MAX];
};

/* A try that runs for so long counts as one that lets us wait, and makes the next of its account so. */
static bool is_stuck(const struct probe *probe, int64_t now)
{
	return now - probe->began >= STUCK_MS;
}

static enum probe_class class_of(const struct probe_queue *queue, const struct probe *probe, int64_t now)
{
	if (probe->tries > 0 || (probe->running && is_stuck(probe, now)))
		return PROBE_SLOW;
	return probe_history_class(&queue->history, probe->account, now);
}

static struct load load_now(const struct probe_queue *queue, int64_t now)
{
	struct load load = {0};

	for (size_t i = 0; i < queue->running_count; i++)
		load.of_class[class_of(queue, queue->running[i], now)]++;
	return load;
}

/* Half of the threads for what lets us wait, and a quarter free of it and of accounts that nothing is
 * known of: a flood cannot begin faster than that becomes known. */
static bool has_room(const struct probe_queue *queue, const struct load *load, enum probe_class class)
{
	size_t slow = load->of_class[PROBE_SLOW];

	if (class == PROBE_SLOW && slow >= share(queue, 1, 2))
		return false;
	return class == PROBE_KNOWN || slow + load->of_class[PROBE_NEW] < share(queue, 3, 4);
}

/* Whether a thread is left for it; half of them at most for one account, or one target. ret_running: how many
 * its account has running. */
static bool is_admissible(const struct probe_queue *queue, const struct load *load, const struct probe *probe,
                          int64_t now, size_t *ret_running)
{
	enum probe_class class = class_of(queue, probe, now);
	size_t account = 0, target = 0;

	for (size_t i = 0; i < queue->running_count; i++) {
		const struct probe *other = queue->running[i];
		bool own = str_equal(other->account, probe->account);

		account += own;
		target += str_equal(other->target, probe->target);
		if (own && is_stuck(other, now))
			class = PROBE_SLOW;
	}
	*ret_running = account;
	return account < share(queue, 1, 2) && target < share(queue, 1, 2) && has_room(queue, load, class);
}

static struct probe *pick(const struct probe_queue *queue, int64_t now)
{
	const struct load load = load_now(queue, now);
	uint64_t served, best_served = UINT64_MAX;
	struct probe *probe, *best = NULL;
	size_t running, best_running = SIZE_MAX;

	TAILQ_FOREACH(probe, &queue->list, entry) {
		if (probe->running || probe->due > now || !is_admissible(queue, &load, probe, now, &running) ||
		    running > best_running)
			continue;
		served = probe_history_served(&queue->history, probe->account);
		if (running == best_running && served >= best_served)
			continue;
		best = probe;
		best_running = running;
		best_served = served;
		if (running == 0 && served == 0)
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
	probe->began = now;
	probe_history_turn(&queue->history, probe->account);
	queue->running[queue->running_count++] = probe;
	return probe;
}

void probe_queue_done(struct probe_queue *queue, struct probe *probe, bool proven, int64_t now)
{
	size_t i = 0;

	while (queue->running[i] != probe)
		i++;
	queue->running[i] = queue->running[--queue->running_count];
	probe->running = false;
	probe_history_note(&queue->history, probe->account, proven, now - probe->began, now);
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
