#include "store/group.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "store/table.h"

enum {
	BATCH_MAX = 128,
	YIELDS = 3,  /* more brought no fewer commits */
};

enum turn { TURN_LEAD, TURN_DONE };

/* One caller, on its stack for as long as it waits. */
struct update {
	store_fn *fn;
	void *arg;
	struct problem *problem;
	bool ok;
	bool refused;    /* in a try before, which filled problem */
	enum turn turn;  /* written before it is woken, and read after */
	sem_t woken;
	struct update *next;
};

struct group {
	struct kv *kv;
	struct audit_keeper *audit;
	pthread_mutex_t lock;      /* all below */
	struct update *first, **last;
	bool led;
	uint64_t commits, updates;
};

/* The updates that one commit is for: a piece of the line, linked. */
struct batch {
	struct update *first;
	size_t n;
};

bool group_new(struct kv *kv, struct audit_keeper *audit, struct group **ret, struct problem *p)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return problem_memory(p);
	group->kv = kv;
	group->audit = audit;
	group->last = &group->first;
	pthread_mutex_init(&group->lock, NULL);
	*ret = group;
	return true;
}

void group_free(struct group *group)
{
	if (!group)
		return;
	assert(!group->first && !group->led);
	pthread_mutex_destroy(&group->lock);
	free(group);
}

/* Alone in its transaction an update needs no part of its own: refused, all is dropped. */
static bool run_alone(const struct group *group, struct kv_txn *kv, struct update *u)
{
	struct store_txn txn = { .kv = kv, .audit = group->audit };

	u->ok = u->fn(&txn, u->arg, u->problem);
	return !kv_failed(kv);
}

static bool run_beside(const struct group *group, struct kv_txn *kv, struct update *u)
{
	struct store_txn txn = { .audit = group->audit };

	u->ok = false;
	if (!kv_nest(kv, &txn.kv, u->problem))
		return !kv_failed(kv);
	u->ok = u->fn(&txn, u->arg, u->problem);
	if (u->ok)
		return kv_keep(&txn.kv);
	kv_abort(&txn.kv);
	return !kv_failed(kv);
}

/* Runs each until all are run or the transaction has failed; ret_accepted says whether any is in. */
static bool batch_run(const struct group *group, const struct batch *batch, struct kv_txn *kv, bool *ret_accepted)
{
	*ret_accepted = false;
	for (struct update *u = batch->first; u; u = u->next) {
		if (u->refused)
			problem_done(u->problem);
		bool went_on = batch->n == 1 ? run_alone(group, kv, u) : run_beside(group, kv, u);
		u->refused = !u->ok;
		if (!went_on)
			return false;
		if (u->ok)
			*ret_accepted = true;
	}
	return true;
}

/* One try: true: each update knows its answer and what was accepted is on disk. */
static bool batch_try(struct group *group, const struct batch *batch, bool *ret_wrote, struct problem *p)
{
	struct kv_txn *kv = NULL;
	bool accepted;

	if (!kv_begin(group->kv, KV_WRITE, &kv, p))
		return false;
	bool ran = batch_run(group, batch, kv, &accepted);
	if (ran && !accepted) {
		kv_abort(&kv);
		return true;
	}
	*ret_wrote = kv_dirty(kv);
	return kv_commit(&kv, p);
}

/* Without the commit nothing that an update saw of the others is true: all get its problem. */
static void batch_refuse(const struct batch *batch, const struct problem *p)
{
	for (struct update *u = batch->first; u; u = u->next) {
		if (u->refused)
			problem_done(u->problem);
		*u->problem = *p;
		u->ok = false;
	}
}

/* Returns the durable commits it took, 0 or 1. */
static unsigned batch_commit(struct group *group, const struct batch *batch)
{
	struct problem p = {0};
	bool wrote = false, ok;

	while (!(ok = batch_try(group, batch, &wrote, &p))) {
		struct problem full = {0};

		if (!kv_grow(group->kv, &full)) {
			batch_refuse(batch, problem_is_set(&full) ? &full : &p);
			break;
		}
		problem_done(&p);
		wrote = false;
	}
	return ok && wrote;
}

/* --- the line --- */

/* true: nobody leads, so whoever added this one does. */
static bool line_add(struct group *group, struct update *u)
{
	pthread_mutex_lock(&group->lock);
	bool leads = !group->led;
	group->led = true;
	*group->last = u;
	group->last = &u->next;
	pthread_mutex_unlock(&group->lock);
	return leads;
}

static struct batch line_take(struct group *group)
{
	pthread_mutex_lock(&group->lock);
	struct batch batch = { .first = group->first };
	struct update **end = &group->first;

	while (*end && batch.n < BATCH_MAX) {
		end = &(*end)->next;
		batch.n++;
	}
	group->first = *end;
	*end = NULL;
	if (!group->first)
		group->last = &group->first;
	pthread_mutex_unlock(&group->lock);
	return batch;
}

/* Counts the batch. Returns who leads next; NULL: nobody waits. */
static struct update *line_next(struct group *group, const struct batch *batch, unsigned commits)
{
	pthread_mutex_lock(&group->lock);
	struct update *next = group->first;

	group->led = next != NULL;
	group->commits += commits;
	for (const struct update *u = batch->first; u; u = u->next)
		group->updates += u->ok;
	pthread_mutex_unlock(&group->lock);
	return next;
}

/* Without the lock, which the woken one would only run into. An update is gone once it is woken. */
static void give_turn(struct update *u, enum turn turn)
{
	u->turn = turn;
	sem_post(&u->woken);
}

static void wait_for_turn(struct update *u)
{
	while (sem_wait(&u->woken) != 0)
		assert(errno == EINTR);
}

/* Threads that could run now and are on their way here are let by: each that comes into the line
 * before it is taken saves a commit. Costs next to nothing when there are none. */
static void let_others_join(void)
{
	for (int i = 0; i < YIELDS; i++)
		sched_yield();
}

static void lead(struct group *group, const struct update *own)
{
	let_others_join();
	struct batch batch = line_take(group);

	assert(batch.first == own);
	unsigned commits = batch_commit(group, &batch);
	struct update *next = line_next(group, &batch, commits);

	if (next)
		give_turn(next, TURN_LEAD);
	for (struct update *u = batch.first->next; u; u = next) {
		next = u->next;
		give_turn(u, TURN_DONE);
	}
}

bool group_update(struct group *group, store_fn *fn, void *arg, struct problem *p)
{
	struct update u = { .fn = fn, .arg = arg, .problem = p };

	sem_init(&u.woken, 0, 0);
	if (line_add(group, &u))
		u.turn = TURN_LEAD;
	else
		wait_for_turn(&u);
	if (u.turn == TURN_LEAD)
		lead(group, &u);
	sem_destroy(&u.woken);
	return u.ok;
}

void group_counters(struct group *group, uint64_t *ret_commits, uint64_t *ret_updates)
{
	pthread_mutex_lock(&group->lock);
	*ret_commits = group->commits;
	*ret_updates = group->updates;
	pthread_mutex_unlock(&group->lock);
}
