#include "acme/probe.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "acme/actions.h"
#include "acme/challenge.h"
#include "acme/order_caa.h"
#include "acme/probe_queue.h"
#include "acme/probe_result.h"
#include "acme/vantage.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"

enum {
	RETRY_FIRST_MS = 5000, RETRY_MAX_MS = 60000, /* doubled between (8.2: 5 or 10 seconds) */
	AGAIN_MIN_MS = 2000,                         /* between a try and the next that a client asks for */
	STORE_FAILED_MS = 5000,
	RESUME_STEP_MS = 20,
	RESUME_PAGE = 500,
	STALE_MAX = 3,
	CAA_WAITING_MAX = 16,                        /* requests that wait for CAA records at once */
};

struct probes {
	struct acme *acme;
	struct vantage *vantage;
	atomic_uint caa_waiting;
	struct work *work;
	pthread_mutex_t mutex;  /* guards all below */
	struct probe_queue queue;
	bool closing;
};

/* --- one try */

static void log_result(const struct probe_result *r)
{
	const char *outcome = r->dropped ? "dropped" : r->proven ? "valid" : r->last ? "invalid" : "retry";

	log_event(LOG_LEVEL_INFO, "challenge", "result", outcome, "authorization", r->authorization, "account",
	          r->account.id, "type", r->challenge.type, "identifier", r->task.value, "detail",
	          r->proven ? NULL : problem_cause(&r->problem), NULL);
}

/* What CAA forbids is not worth an order; finalize asks again. */
static bool check_caa(struct probes *probes, struct probe_result *r)
{
	const struct caa_subject subject = {
		.value = r->task.value, .wildcard = r->task.wildcard, .method = r->task_type,
		.account_url = r->task.account_url, .require_dnssec = r->task.require_dnssec,
	};

	if (!str_equal(r->task.type, "dns") || !order_caa_wanted(probes->acme, r->directory))
		return true;
	if (vantage_caa(probes->vantage, &subject, 1, &r->problem))
		return true;
	if (r->problem.sub_count > 0) /* about this name alone: as the problem itself */
		memcpy(r->problem.detail, r->problem.subs[0].detail, sizeof(r->problem.detail));
	return false;
}

static bool try_once(struct probes *probes, struct probe_result *r, struct problem *p)
{
	const struct acme_options *options = &probes->acme->options;
	const struct challenge_type *type;

	if (!probe_result_load(probes->acme->store, r, p))
		return false;
	if (r->dropped)
		return true;
	type = challenge_type_find(r->task_type);
	if (!type || !type->prove)
		return problem_internal(p, "challenge type %s cannot be proven", r->task_type);
	if (type->bit & options->challenges)
		r->proven = vantage_prove(probes->vantage, type, &r->task, &r->problem) && check_caa(probes, r);
	else
		problem_set(&r->problem, PROBLEM_UNAUTHORIZED, "%s is not offered any more", type->name);
	/* What fails on our side ends no challenge. */
	r->last = (uint64_t)r->challenge.attempts + 1 >= options->probe_attempts && !problem_is_ours(&r->problem);
	probe_result_time(probes->acme, r);
	return probe_result_store(probes->acme->store, r, p);
}

/* Runs without the mutex. false: nothing is stored, try later. ret_over: there is no next try. */
static bool attempt(struct probes *probes, const struct probe *probe, bool *ret_over, bool *ret_proven)
{
	auto_value(problem) p = {0};

	for (int i = 0; i < STALE_MAX; i++) {
		auto_value(probe_result) r = { .authorization = probe->authorization,
		                               .url_key = probe->challenge };

		if (!try_once(probes, &r, &p)) {
			log_event(LOG_LEVEL_ERROR, "challenge", "authorization", probe->authorization,
			          "cause", problem_cause(&p), NULL);
			return false;
		}
		if (r.stale)
			continue;
		log_result(&r);
		*ret_over = r.dropped || r.proven || r.last;
		*ret_proven = r.proven;
		return true;
	}
	return false;
}

static int64_t delay_after(unsigned tries)
{
	int64_t delay = RETRY_FIRST_MS;

	while (--tries > 0 && delay < RETRY_MAX_MS)
		delay *= 2;
	return delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS;
}

static work_job run;

/* A wake-up that finds no room in the queue is no loss: each that ends looks for what is due. */
static void wake(struct probes *probes, int64_t delay_ms)
{
	auto_value(problem) p = {0};

	(void)!work_add(probes->work, delay_ms, run, probes, &p);
}

/* With the mutex held. */
static void settle(struct probes *probes, struct probe *probe, bool stored, bool over, bool proven)
{
	int64_t delay;

	probe->last_end = clock_monotonic_ms();
	probe_queue_done(&probes->queue, probe, proven, probe->last_end);
	probe->tries++;
	probe->stored += stored;
	if (stored && over) {
		probe_queue_end(&probes->queue, probe);
	} else {
		delay = stored ? delay_after(probe->tries) : STORE_FAILED_MS;
		probe->due = probe->last_end + delay;
		wake(probes, delay);
	}
}

/* The mutex is held before and after, and is free when anybody is told: who wakes wants it. */
static void take_a_try(struct probes *probes, struct probe *probe)
{
	bool stored, over = false, proven = false;

	probe->refs++;
	pthread_mutex_unlock(&probes->mutex);
	stored = attempt(probes, probe, &over, &proven);
	pthread_mutex_lock(&probes->mutex);
	settle(probes, probe, stored, over, proven);
	pthread_mutex_unlock(&probes->mutex);
	pthread_cond_broadcast(&probe->changed);
	pthread_mutex_lock(&probes->mutex);
	probe_unref(probe);
}

/* A wake-up: takes what is due until nothing is, or nothing more is admissible. What waits for its
 * share finds this loop, or another, when the one before it has ended. */
static void run(void *arg)
{
	struct probes *probes = arg;
	struct probe *probe;

	pthread_mutex_lock(&probes->mutex);
	while (!probes->closing && (probe = probe_queue_take(&probes->queue, clock_monotonic_ms())))
		take_a_try(probes, probe);
	pthread_mutex_unlock(&probes->mutex);
}

/* --- beginning */

/* The probe of the request, with a reference. ret_wake: it is new, and its thread is to be woken. */
static bool find_or_add(struct probes *probes, const struct probe_request *request, struct probe **ret,
                        bool *ret_wake, struct problem *p)
{
	struct probe *probe = probe_queue_find(&probes->queue, request->authorization, request->challenge);

	*ret_wake = !probe;
	if (!probe && probes->closing)
		return problem_unavailable(p, 1, "the server is closing");
	if (!probe && (!probe_queue_room(&probes->queue, request->account, p) ||
	               !probe_queue_add(&probes->queue, request, clock_monotonic_ms(), &probe, p)))
		return false;
	probe->refs++;
	*ret = probe;
	return true;
}

static void wait_stored(struct probes *probes, struct probe *probe, uint64_t before, int64_t wait_ms)
{
	const struct timespec end = clock_until(wait_ms);
	int error = 0;

	while (!probe->ended && probe->stored == before && error != ETIMEDOUT)
		error = pthread_cond_clockwait(&probe->changed, &probes->mutex, CLOCK_MONOTONIC, &end);
}

/* Whether a try runs or is due: one to wait for. */
static bool hurry(struct probe *probe, bool *ret_wake)
{
	int64_t now = clock_monotonic_ms();

	if (probe->running || probe->due <= now)
		return true;
	if (now - probe->last_end < AGAIN_MIN_MS)
		return false;
	probe->due = now;
	*ret_wake = true;
	return true;
}

bool probes_begin(struct probes *probes, const struct probe_request *request, int64_t wait_ms,
                  bool *ret_stored, struct problem *p)
{
	struct probe *probe = NULL;
	bool wakes, waits;

	pthread_mutex_lock(&probes->mutex);
	bool begun = find_or_add(probes, request, &probe, &wakes, p);
	uint64_t before = begun ? probe->stored : 0;
	waits = begun && hurry(probe, &wakes);
	pthread_mutex_unlock(&probes->mutex);
	if (!begun)
		return false;
	if (wakes)
		wake(probes, 0);
	pthread_mutex_lock(&probes->mutex);
	if (waits)
		wait_stored(probes, probe, before, wait_ms);
	*ret_stored = !waits || probe->ended || probe->stored != before;
	probe_unref(probe);
	pthread_mutex_unlock(&probes->mutex);
	return true;
}

int probes_retry_after(struct probes *probes, const char *authorization, const char *challenge)
{
	int64_t wait = 0;

	pthread_mutex_lock(&probes->mutex);
	const struct probe *probe = probe_queue_find(&probes->queue, authorization, challenge);
	if (probe && !probe->running)
		wait = (probe->due - clock_monotonic_ms()) / 1000 + 1;
	pthread_mutex_unlock(&probes->mutex);
	return wait < 1 ? 1 : wait > 60 ? 60 : (int)wait;
}

bool probes_caa_begin(struct probes *probes)
{
	if (atomic_fetch_add(&probes->caa_waiting, 1) < CAA_WAITING_MAX)
		return true;
	probes_caa_end(probes);
	return false;
}

void probes_caa_end(struct probes *probes)
{
	atomic_fetch_sub(&probes->caa_waiting, 1);
}

bool probes_caa(struct probes *probes, const struct caa_subject *v, size_t n, struct problem *p)
{
	return vantage_caa(probes->vantage, v, n, p);
}

size_t probes_count(struct probes *probes)
{
	pthread_mutex_lock(&probes->mutex);
	size_t count = probes->queue.count;
	pthread_mutex_unlock(&probes->mutex);
	return count;
}

/* --- opening and closing */

struct resume {
	struct probes *probes;
	char after[STORE_CURSOR_SIZE];
	size_t resumed;
};

static bool resume_one(struct resume *r, const struct probe_request *request, struct problem *p)
{
	int64_t delay = (int64_t)r->resumed++ * RESUME_STEP_MS;
	struct probe *probe;

	if (!probe_queue_add(&r->probes->queue, request, clock_monotonic_ms() + delay, &probe, p))
		return false;
	wake(r->probes, delay);
	return true;
}

static bool resume_authorization(struct store_txn *txn, struct resume *r, const char *id, struct problem *p)
{
	auto_value(authorization) a = {0};

	if (!store_authorization_get(txn, id, &a, p))
		return false;
	const struct challenge *v = a.challenges.v;
	for (size_t i = 0; i < a.challenges.n; i++) {
		const struct probe_request request = { a.id, v[i].url_key, a.account, a.value };

		if (v[i].status == CHALLENGE_PROCESSING && !resume_one(r, &request, p))
			return false;
	}
	return true;
}

static bool resume_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resume *r = arg;
	auto_value(store_page) page = {0};

	if (!store_authorization_processing(txn, r->after, RESUME_PAGE, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++)
		if (!resume_authorization(txn, r, page.ids.v[i], p))
			return false;
	snprintf(r->after, sizeof(r->after), "%s", page.next);
	return true;
}

/* All of them, the queue's bound or not: clients that were told "processing" only poll. */
static bool resume(struct probes *probes, struct problem *p)
{
	struct resume r = { .probes = probes };
	bool resumed;

	pthread_mutex_lock(&probes->mutex);
	do
		resumed = store_view(probes->acme->store, resume_page, &r, p);
	while (resumed && r.after[0]);
	pthread_mutex_unlock(&probes->mutex);
	return resumed;
}

static bool open_parts(struct probes *probes, struct problem *p)
{
	const struct acme_options *o = &probes->acme->options;

	assert(o->probe_threads > 0 && o->probe_attempts > 0);
	/* Several wake-ups may wait for one probe; those of a resumed queue exceed it. */
	return probe_queue_open(o->probe_threads, o->probe_queue, &probes->queue, p) &&
	       vantage_open(o, &probes->vantage, p) &&
	       work_open("probe", o->probe_threads, 8 * (size_t)o->probe_queue + 100000, &probes->work, p);
}

bool probes_open(struct acme *acme, struct probes **ret, struct problem *p)
{
	struct probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return problem_memory(p);
	probes->acme = acme;
	pthread_mutex_init(&probes->mutex, NULL);
	if (!open_parts(probes, p) || !resume(probes, p)) {
		probes_close(probes);
		return false;
	}
	*ret = probes;
	return true;
}

/* What is in flight stays processing in the store, for the next start. */
void probes_close(struct probes *probes)
{
	if (!probes)
		return;
	pthread_mutex_lock(&probes->mutex);
	probes->closing = true;
	pthread_mutex_unlock(&probes->mutex);
	work_close(probes->work, NULL);
	probe_queue_close(&probes->queue);
	vantage_close(probes->vantage);
	pthread_mutex_destroy(&probes->mutex);
	free(probes);
}
