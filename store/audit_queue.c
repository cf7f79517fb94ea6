#include "store/audit_queue.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/work.h"
#include "store/audit_inside.h"

enum { PERIOD = 3600, ACTORS_MAX = 10000, WAIT_MS = 1000, DROPPED_EVERY_MS = 60000, FACTS_MAX = 8 };

struct waiting {
	enum audit_kind kind;
	int64_t time, times;
	char *actor, *from;
	struct buf about;
};

struct batch {
	struct waiting v[AUDIT_QUEUE_WAITING_MAX];
	size_t n;
	int64_t dropped, dropped_at; /* how many, and when the last one */
};

struct audit_queue {
	struct store *store;
	struct limit *per_actor, *all;
	struct work *work;
	pthread_mutex_t lock;        /* all below */
	struct batch batch;
	bool scheduled;
	int64_t told;                /* when dropped ones were written last, by the monotonic clock */
};

static void waiting_free(struct waiting *w)
{
	free(w->actor);
	free(w->from);
	buf_free(&w->about);
}
declare_auto_value(waiting, waiting_free);

static bool waiting_make(const struct audit_event *event, struct waiting *ret)
{
	*ret = (struct waiting){
		.kind = event->kind, .time = event->time, .times = 1, .actor = strdup(event->actor),
		.from = event->from ? strdup(event->from) : NULL,
	};
	audit_about_write(event->facts, &ret->about);
	return ret->actor && (ret->from || !event->from) && !ret->about.failed;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? str_equal(a, b) : a == b;
}

static bool same(const struct waiting *a, const struct waiting *b)
{
	return a->kind == b->kind && same_text(a->actor, b->actor) && same_text(a->from, b->from) &&
	       bytes_equal(buf_bytes(&a->about), buf_bytes(&b->about));
}

static void batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		waiting_free(&batch->v[i]);
	free(batch);
}
declare_auto_struct(batch, batch_free);

/* --- writing --- */

static bool write_dropped(struct store_txn *txn, const struct batch *batch, struct problem *p)
{
	const struct audit_fact facts[] = { audit_integer("count", batch->dropped), {0} };
	const struct audit_event event = {
		.kind = AUDIT_REFUSALS_DROPPED, .time = batch->dropped_at, .actor = "server", .facts = facts,
	};

	return batch->dropped == 0 || store_audit_add(txn, &event, p);
}

static bool write_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct batch *batch = arg;

	for (size_t i = 0; i < batch->n; i++) {
		const struct waiting *w = &batch->v[i];
		const struct audit_draft draft = {
			.kind = w->kind, .time = w->time, .actor = w->actor, .from = w->from, .about = buf_bytes(&w->about),
			.times = w->times,
		};

		if (!audit_draft_add(txn, &draft, p))
			return false;
	}
	return write_dropped(txn, batch, p);
}

/* Takes what is to be written; the number of those dropped only when it was not told for a while, or now. */
static struct batch *take(struct audit_queue *queue, bool now)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	pthread_mutex_lock(&queue->lock);
	*batch = queue->batch;
	queue->batch.n = 0;
	if (now || clock_monotonic_ms() - queue->told >= DROPPED_EVERY_MS)
		queue->batch.dropped = 0;
	else
		batch->dropped = 0;
	if (batch->dropped > 0)
		queue->told = clock_monotonic_ms();
	pthread_mutex_unlock(&queue->lock);
	return batch;
}

/* What could not be written is dropped, and counts as that. */
static void take_back(struct audit_queue *queue, const struct batch *batch)
{
	pthread_mutex_lock(&queue->lock);
	queue->batch.dropped += batch->dropped;
	queue->batch.dropped_at = clock_now();
	for (size_t i = 0; i < batch->n; i++)
		queue->batch.dropped += batch->v[i].times;
	pthread_mutex_unlock(&queue->lock);
}

static bool flush(struct audit_queue *queue, bool now, struct problem *p)
{
	auto_struct(batch) *batch = take(queue, now);

	if (!batch)
		return problem_memory(p);
	if ((batch->n == 0 && batch->dropped == 0) || store_update(queue->store, write_batch, batch, p))
		return true;
	take_back(queue, batch);
	return false;
}

static void schedule(struct audit_queue *queue);

static void run(void *arg)
{
	struct audit_queue *queue = arg;
	auto_value(problem) p = {0};

	pthread_mutex_lock(&queue->lock);
	queue->scheduled = false;
	pthread_mutex_unlock(&queue->lock);
	if (!flush(queue, false, &p))
		log_event(LOG_LEVEL_ERROR, "refusals are not in the audit log", "cause", problem_cause(&p), NULL);
	pthread_mutex_lock(&queue->lock);
	if (queue->batch.dropped > 0)
		schedule(queue);
	pthread_mutex_unlock(&queue->lock);
}

/* With the lock held. While there are dropped ones to tell of it looks each time whether it may. */
static void schedule(struct audit_queue *queue)
{
	auto_value(problem) full = {0};

	if (!queue->scheduled)
		queue->scheduled = work_add(queue->work, WAIT_MS, run, queue, &full);
}

/* --- taking --- */

static struct waiting *find(struct batch *batch, const struct waiting *w)
{
	for (size_t i = 0; i < batch->n; i++)
		if (same(&batch->v[i], w))
			return &batch->v[i];
	return NULL;
}

static bool pass(struct audit_queue *queue, const struct waiting *w)
{
	int wait;

	return queue->batch.n < AUDIT_QUEUE_WAITING_MAX && limit_take(queue->per_actor, w->actor, &wait) &&
	       limit_take(queue->all, "", &wait);
}

/* With the lock held; takes w. */
static void put(struct audit_queue *queue, struct waiting *w)
{
	struct waiting *equal = find(&queue->batch, w);

	if (equal) {
		equal->times++;
	} else if (pass(queue, w)) {
		queue->batch.v[queue->batch.n++] = *w;
		*w = (struct waiting){0};
	} else {
		queue->batch.dropped++;
		queue->batch.dropped_at = w->time;
	}
}

void audit_queue_add(struct audit_queue *queue, const struct audit_event *event)
{
	auto_value(waiting) w = {0};
	bool made = waiting_make(event, &w);

	pthread_mutex_lock(&queue->lock);
	if (made) {
		put(queue, &w);
	} else {
		queue->batch.dropped++;
		queue->batch.dropped_at = event->time;
	}
	schedule(queue);
	pthread_mutex_unlock(&queue->lock);
}

/* --- refusals */

static bool add_reason(const struct problem_sub *sub, struct strings *ret)
{
	bool named = !sub->identifier_value[0] || strstr(sub->detail, sub->identifier_value);
	auto_free char *text = mem_printf("%s%s%s", named ? "" : sub->identifier_value, named ? "" : ": ", sub->detail);

	return text && (strings_has(ret, text) || strings_add(ret, text));
}

/* Of each part its text; of a refusal without parts its own. */
static bool add_reasons(const struct problem *why, struct strings *ret)
{
	for (size_t i = 0; i < why->sub_count; i++)
		if (!add_reason(&why->subs[i], ret))
			return false;
	return why->sub_count > 0 || strings_add(ret, problem_text(why));
}

/* Without memory for them it goes without reasons. */
void audit_queue_refuse(struct audit_queue *queue, const struct audit_event *event, const struct problem *why)
{
	auto_value(strings) reasons = {0};
	struct audit_fact facts[FACTS_MAX + 4] = {0};
	struct audit_event whole = *event;
	size_t n = 0;

	if (!add_reasons(why, &reasons))
		strings_free(&reasons);
	for (; event->facts && event->facts[n].name; n++) {
		assert(n < FACTS_MAX);
		facts[n] = event->facts[n];
	}
	facts[n++] = (struct audit_fact)audit_text("problem", problem_acme_type(why->kind));
	facts[n++] = (struct audit_fact)audit_text("rules", why->cause);
	facts[n] = (struct audit_fact)audit_texts("reasons", record_texts_of(&reasons));
	whole.facts = facts;
	audit_queue_add(queue, &whole);
}

bool audit_queue_flush(struct audit_queue *queue, struct problem *p)
{
	return flush(queue, true, p);
}

bool audit_queue_open(struct store *store, struct audit_queue **ret, struct problem *p)
{
	auto_struct(audit_queue) *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return problem_memory(p);
	queue->store = store;
	queue->told = clock_monotonic_ms() - DROPPED_EVERY_MS;
	pthread_mutex_init(&queue->lock, NULL);
	if (!limit_new(AUDIT_QUEUE_PER_ACTOR, PERIOD, ACTORS_MAX, &queue->per_actor, p) ||
	    !limit_new(AUDIT_QUEUE_PER_HOUR, PERIOD, 1, &queue->all, p) || !work_open("audit", 1, 4, &queue->work, p))
		return false;
	*ret = steal(queue);
	return true;
}

void audit_queue_close(struct audit_queue *queue)
{
	auto_value(problem) p = {0};

	if (!queue)
		return;
	if (queue->work) {
		work_close(queue->work, NULL);
		if (!flush(queue, true, &p))
			log_event(LOG_LEVEL_ERROR, "refusals are not in the audit log", "cause", problem_cause(&p),
			          NULL);
	}
	limit_free(queue->per_actor);
	limit_free(queue->all);
	for (size_t i = 0; i < queue->batch.n; i++)
		waiting_free(&queue->batch.v[i]);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}
