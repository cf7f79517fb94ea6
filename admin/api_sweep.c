/* Requests that ended long ago leave the store. */
#include "admin/api_call.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"

enum { BATCH = 200, EVERY_MS = 10 * 60 * 1000, SOON_MS = 100 };

struct sweeping {
	int64_t before;
	size_t count;
};

static bool sweep_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	struct sweeping *s = arg;

	return store_request_sweep(txn, s->before, BATCH, &s->count, p);
}

/* An update that finds nothing writes nothing. */
static bool once(struct api *api, bool *ret_more, struct problem *p)
{
	struct sweeping sweeping = { .before = clock_now() - api->options.retention };

	if (!store_update(api->store, sweep_batch, &sweeping, p))
		return false;
	*ret_more = sweeping.count > 0;
	return true;
}

static void run(void *arg)
{
	auto_value(problem) p = {0}, closing = {0};
	struct api *api = arg;
	bool more = false;

	if (!once(api, &more, &p))
		log_event(LOG_LEVEL_ERROR, "api-sweep", "cause", problem_cause(&p), NULL);
	(void)!work_add(api->work, more ? SOON_MS : EVERY_MS, run, api, &closing);
}

bool api_sweep_begin(struct api *api, struct problem *p)
{
	return work_add(api->work, EVERY_MS, run, api, p);
}
