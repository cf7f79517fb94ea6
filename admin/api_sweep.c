/* Requests that ended long ago leave the store. */
#include "admin/api_call.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"

enum { BATCH = 200, EVERY_MS = 10 * 60 * 1000, SOON_MS = 100 };

struct sweeping {
	int64_t before;
	char at[STORE_CURSOR_SIZE];
	size_t count;
};

static bool sweep_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	struct sweeping *s = arg;

	return store_request_sweep(txn, s->before, BATCH, s->at, &s->count, p);
}

/* An update that finds nothing writes nothing. Who waits for longer than requests are kept is passed over, page by
 * page, so that all are come to. */
static bool once(struct api *api, bool *ret_more, struct problem *p)
{
	struct sweeping sweeping = { .before = clock_now() - api->options.retention };

	memcpy(sweeping.at, api->sweep_at, sizeof(sweeping.at));
	api->sweep_at[0] = '\0';
	if (!store_update(api->store, sweep_batch, &sweeping, p))
		return false;
	memcpy(api->sweep_at, sweeping.at, sizeof(sweeping.at));
	*ret_more = sweeping.at[0] != '\0';
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
