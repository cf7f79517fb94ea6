#include "policy/decided.h"

#include "base/log.h"

struct finding {
	const struct decided *decided;
	struct strings *ret;
};

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct finding *f = arg;

	return store_request_due(txn, f->decided->method, f->decided->batch, f->ret, p);
}

static void log_trouble(const char *id, const struct problem *why)
{
	log_event(LOG_LEVEL_ERROR, "request", "request", id, "cause", problem_cause(why), NULL);
}

bool decided_carry_out(const struct decided *decided, struct problem *p)
{
	auto_value(strings) ids = {0};

	if (!store_view(decided->store, find, &(struct finding){ decided, &ids }, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(problem) why = {0};
		if (!decided->carry_out(decided->arg, ids.v[i], &why))
			log_trouble(ids.v[i], &why);
	}
	return true;
}

bool decided_is_final(const struct problem *why)
{
	return !problem_is_ours(why) && why->kind != PROBLEM_CONFLICT;
}

bool decided_fail(struct store_txn *txn, const char *id, const char *const *reason, struct request *ret,
                  struct problem *p)
{
	if (!store_request_get(txn, id, ret, p))
		return false;
	if (ret->state == REQUEST_APPROVED)
		ret->state = REQUEST_FAILED;
	if (*reason)
		ret->reasons = (struct record_texts){ reason, 1 };
	return true;
}

bool decided_put(struct store_txn *txn, struct request *request, int64_t now, int64_t expires, struct problem *p)
{
	request->due = false;
	request->ended = request->ended ?: now;
	request->expires = expires;
	return store_request_put(txn, request, p);
}

void decided_run(const struct decided *decided)
{
	auto_value(problem) p = {0};

	if (!decided_carry_out(decided, &p))
		log_trouble("all", &p);
}
