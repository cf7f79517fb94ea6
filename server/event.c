#include "server/event.h"

#include "base/clock.h"

struct telling {
	const struct server_event *event;
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct telling *t = arg;
	const struct config *config = t->event->config;
	struct bytes digest = config && config->path ? BYTES(config->digest, sizeof config->digest) : BYTES(NULL, 0);
	const struct audit_fact facts[] = {
		audit_text("config", config ? config->path : t->event->path), audit_hex("configDigest", digest),
		audit_text("version", ENROLLD_VERSION), audit_text("cause", t->event->cause), { 0 },
	};
	return store_audit_add(txn, &(struct audit_event){ .kind = t->event->kind, .time = t->now, .actor = "server",
	                                                   .facts = facts }, p);
}

bool server_tell(struct store *store, const struct server_event *event, struct problem *p)
{
	return store_update(store, tell, &(struct telling){ event, clock_now() }, p);
}

void server_tell_or_log(struct store *store, const struct server_event *event)
{
	auto_value(problem) p = {0};
	if (!server_tell(store, event, &p))
		log_event(LOG_LEVEL_ERROR, "not in the audit log", "event", audit_kind_name(event->kind), "cause",
		          problem_cause(&p), NULL);
}
