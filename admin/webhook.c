#include "admin/webhook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "admin/expiry.h"
#include "admin/webhook_change.h"
#include "admin/webhook_event.h"
#include "admin/webhook_outcome.h"
#include "admin/webhook_send.h"
#include "admin/webhook_settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"

enum {
	THREADS = 8, RETRYING_MAX = THREADS / 2,
	MANAGE_EVERY_MS = 1000, SOON_MS = 20,
	IDLE_MS = 250,                   /* until a webhook looks for events again */
	WAIT_MS = 1000,                  /* until one that waits looks whether it still has to */
	TROUBLE_MS = 5000,               /* after a failure of our own */
	SAVE_EVERY_MS = 10000,           /* of a cursor that passed over events which are not wanted */
};

/* Of one webhook: used by one job at a time, and by the manager once that has ended. */
struct sender {
	struct webhooks *house;
	char id[RANDOM_ID_SIZE];
	struct fetcher *fetcher;
	struct webhook_settings *settings; /* by which its connections were made; NULL: there are none */
	uint64_t looked;                 /* events up to it are delivered or not wanted */
	int64_t saved_ms;
	atomic_bool gone;                /* the webhook is; its job has ended */
};
struct webhooks {
	struct store *store;
	pthread_mutex_t lock;
	struct webhook_settings *settings; /* guarded by lock, as is what follows */
	struct profiles *profiles;
	struct expiry_watch expiry;      /* the manager's, as all below */
	struct work *manager, *work;     /* work: NULL until there is a webhook */
	struct sender *senders[WEBHOOKS_MAX];
	atomic_int retrying;             /* threads that try what failed before */
	atomic_bool closing;
};

static void log_trouble(const char *what, const char *id, const struct problem *p)
{
	log_event(LOG_LEVEL_ERROR, what, "webhook", id, "cause", problem_cause(p), NULL);
}

/* --- one step of one webhook */

struct stepping {
	struct sender *sender;
	struct webhook row;
	struct webhook_event event;
	struct buf secret;
	bool gone;
	int64_t now;
};

static void stepping_done(struct stepping *s)
{
	webhook_free(&s->row);
	webhook_event_free(&s->event);
	buf_free(&s->secret);
}
declare_auto_value(stepping, stepping_done);

/* A clock that was set back does not make it wait longer than the longest wait. */
static bool has_to_wait(const struct stepping *s)
{
	return s->row.stopped || (s->row.next_try > s->now && s->row.next_try - s->now <= WEBHOOK_WAIT_MAX);
}

static bool find_next(struct store_txn *txn, void *arg, struct problem *p)
{
	struct stepping *s = arg;
	auto_value(problem) why = {0};

	if (!webhook_get(txn, s->sender->id, &s->row, &why)) {
		s->gone = why.kind == PROBLEM_NOT_FOUND;
		return s->gone || problem_internal(p, "%s", why.cause);
	}
	if (s->sender->looked < (uint64_t)s->row.cursor)
		s->sender->looked = (uint64_t)s->row.cursor;
	return has_to_wait(s) || webhook_event_next(txn, &s->row, s->sender->looked, &s->event, p);
}

/* Passing over costs a write now and then alone: who begins again passes over again. */
static bool pass_over(struct stepping *s, struct problem *p)
{
	struct sender *sender = s->sender;
	int64_t ms = clock_monotonic_ms();

	sender->looked = s->event.seq;
	if (sender->looked <= (uint64_t)s->row.cursor || ms - sender->saved_ms < SAVE_EVERY_MS)
		return true;
	sender->saved_ms = ms;
	return webhook_pass(sender->house->store, sender->id, sender->looked, p);
}

/* A connection that is kept would be none of those that new rules let pass, or know of new CAs. */
static bool follow_settings(struct sender *sender, struct problem *p)
{
	struct webhooks *house = sender->house;
	auto_struct(fetcher) *fetcher = NULL;

	pthread_mutex_lock(&house->lock);
	auto_struct(webhook_settings) *settings = webhook_settings_ref(house->settings);
	pthread_mutex_unlock(&house->lock);
	if (settings == sender->settings)
		return true;
	if (!fetcher_open(&fetcher, p))
		return false;
	fetcher_close(sender->fetcher);
	sender->fetcher = steal(fetcher);
	webhook_settings_unref(sender->settings);
	sender->settings = steal(settings);
	return true;
}

static bool deliver(struct stepping *s, struct problem *p)
{
	struct webhooks *house = s->sender->house;
	const struct webhook_message message = {
		s->event.id, s->event.type, buf_bytes(&s->event.body), &house->closing,
	};
	struct webhook_outcome outcome = { .seq = s->event.seq };
	auto_value(problem) why = {0};

	if (!webhook_secret(house->store, &s->row, &s->secret, p) || !follow_settings(s->sender, p))
		return false;
	const struct webhook_options *options = &s->sender->settings->options;
	outcome.delivered = webhook_send(options, s->sender->fetcher, s->row.url, buf_text(&s->secret), &message,
	                                 &outcome.answer, &why);
	if (!outcome.delivered && atomic_load(&house->closing))
		return true;
	outcome.error = problem_text(&why);
	outcome.now = clock_now();
	return webhook_outcome_record(house->store, options, s->sender->id, &outcome, p);
}

/* Of what failed before no more than RETRYING_MAX are tried at once: receivers that stall leave threads to the
 * others. */
static bool begin_try(const struct stepping *s)
{
	atomic_int *retrying = &s->sender->house->retrying;

	if (s->row.attempts == 0 || atomic_fetch_add(retrying, 1) < RETRYING_MAX)
		return true;
	atomic_fetch_sub(retrying, 1);
	return false;
}

static void end_try(const struct stepping *s)
{
	if (s->row.attempts > 0)
		atomic_fetch_sub(&s->sender->house->retrying, 1);
}

/* How long to the next step; < 0: the webhook is no more. */
static int64_t step(struct sender *sender)
{
	auto_value(stepping) s = { .sender = sender, .now = clock_now() };
	auto_value(problem) p = {0};
	bool done = store_view(sender->house->store, find_next, &s, &p);

	if (done && s.gone)
		return -1;
	if (done && has_to_wait(&s))
		return WAIT_MS;
	if (done && !s.event.found) {
		if (pass_over(&s, &p))
			return s.event.end ? IDLE_MS : 0;
		done = false;
	}
	if (done && !begin_try(&s))
		return IDLE_MS;
	if (done) {
		done = deliver(&s, &p);
		end_try(&s);
	}
	if (done)
		return 0;
	log_trouble("webhook", sender->id, &p);
	return TROUBLE_MS;
}

static void run_sender(void *arg)
{
	struct sender *sender = arg;
	auto_value(problem) closing = {0};
	int64_t delay = step(sender);

	if (delay < 0 || !work_add(sender->house->work, delay, run_sender, sender, &closing))
		atomic_store(&sender->gone, true);
}

/* --- the webhooks there are */

static void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	fetcher_close(sender->fetcher);
	webhook_settings_unref(sender->settings);
	free(sender);
}
declare_auto_struct(sender, sender_free);

static bool add_sender(struct webhooks *house, size_t place, const char *id, struct problem *p)
{
	auto_struct(sender) *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return problem_memory(p);
	sender->house = house;
	snprintf(sender->id, sizeof(sender->id), "%s", id);
	if ((!house->work && !work_open("webhook", THREADS, WEBHOOKS_MAX, &house->work, p)) ||
	    !work_add(house->work, 0, run_sender, sender, p))
		return false;
	house->senders[place] = steal(sender);
	return true;
}

static bool has_sender(const struct webhooks *house, const char *id, size_t *ret_free)
{
	for (size_t i = 0; i < WEBHOOKS_MAX; i++) {
		if (!house->senders[i])
			*ret_free = i;
		else if (str_equal(house->senders[i]->id, id))
			return true;
	}
	return false;
}

static void drop_gone(struct webhooks *house)
{
	for (size_t i = 0; i < WEBHOOKS_MAX; i++) {
		if (!house->senders[i] || !atomic_load(&house->senders[i]->gone))
			continue;
		sender_free(house->senders[i]);
		house->senders[i] = NULL;
	}
}

static bool list_ids(struct store_txn *txn, void *arg, struct problem *p)
{
	struct strings *ids = arg;

	return store_webhook_ids(txn, WEBHOOKS_MAX, ids, p);
}

static bool take_up(struct webhooks *house, struct problem *p)
{
	auto_value(strings) ids = {0};

	drop_gone(house);
	if (!store_view(house->store, list_ids, &ids, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		size_t place = WEBHOOKS_MAX;
		if (!has_sender(house, ids.v[i], &place) && place < WEBHOOKS_MAX &&
		    !add_sender(house, place, ids.v[i], p))
			return false;
	}
	return true;
}

static bool look_for_expiry(struct webhooks *house, bool *ret_more, struct problem *p)
{
	pthread_mutex_lock(&house->lock);
	auto_struct(profiles) *profiles = profiles_ref(house->profiles);
	pthread_mutex_unlock(&house->lock);
	return expiry_watch_run(&house->expiry, house->store, profiles, clock_now(), ret_more, p);
}

static void manage(void *arg)
{
	struct webhooks *house = arg;
	auto_value(problem) p = {0}, why = {0}, closing = {0};
	bool more = false;

	if (!take_up(house, &p))
		log_trouble("webhooks", NULL, &p);
	if (!look_for_expiry(house, &more, &why))
		log_trouble("expiry-alerts", NULL, &why);
	(void)!work_add(house->manager, more ? SOON_MS : MANAGE_EVERY_MS, manage, house, &closing);
}

bool webhooks_open(struct webhook_settings *settings, struct store *store, struct profiles *profiles,
                   struct webhooks **ret, struct problem *p)
{
	auto_struct(webhooks) *house = calloc(1, sizeof(*house));

	if (!house)
		return problem_memory(p);
	house->settings = webhook_settings_ref(settings);
	house->store = store;
	house->profiles = profiles_ref(profiles);
	pthread_mutex_init(&house->lock, NULL);
	if (!work_open("webhooks", 1, 4, &house->manager, p) || !work_add(house->manager, 0, manage, house, p))
		return false;
	*ret = steal(house);
	return true;
}

void webhooks_set_profiles(struct webhooks *house, struct profiles *profiles)
{
	pthread_mutex_lock(&house->lock);
	struct profiles *old = house->profiles;
	house->profiles = profiles_ref(profiles);
	pthread_mutex_unlock(&house->lock);
	profiles_unref(old);
}

void webhooks_set_settings(struct webhooks *house, struct webhook_settings *settings)
{
	pthread_mutex_lock(&house->lock);
	struct webhook_settings *old = house->settings;
	house->settings = webhook_settings_ref(settings);
	pthread_mutex_unlock(&house->lock);
	webhook_settings_unref(old);
}

void webhooks_close(struct webhooks *house)
{
	if (!house)
		return;
	atomic_store(&house->closing, true);
	if (house->manager)
		work_close(house->manager, NULL);
	if (house->work)
		work_close(house->work, NULL);
	for (size_t i = 0; i < WEBHOOKS_MAX; i++)
		sender_free(house->senders[i]);
	profiles_unref(house->profiles);
	webhook_settings_unref(house->settings);
	pthread_mutex_destroy(&house->lock);
	free(house);
}
