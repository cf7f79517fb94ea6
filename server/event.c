#include "server/event.h"

#include "base/clock.h"

bool server_event_add(struct store_txn *txn, const struct server_event *event, int64_t now, struct problem *p)
{
	const struct config *config = event->config;
	struct bytes digest = config && config->path ? BYTES(config->digest, sizeof config->digest) : BYTES(NULL, 0);
	const struct audit_fact facts[] = {
		audit_text("config", config ? config->path : event->path), audit_hex("configDigest", digest),
		audit_text("version", ENROLLD_VERSION), audit_text("cause", event->cause), { 0 },
	};
	return store_audit_add(
		txn, &(struct audit_event){ .kind = event->kind, .time = now, .actor = "server", .facts = facts },
		p);
}

struct telling {
	const struct server_event *event;
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct telling *t = arg;
	return server_event_add(txn, t->event, t->now, p);
}

void server_tell_or_log(struct store *store, const struct server_event *event)
{
	auto_value(problem) p = {0};
	if (!store_update(store, tell, &(struct telling){ event, clock_now() }, &p))
		log_event(LOG_LEVEL_ERROR, "not in the audit log", "event", audit_kind_name(event->kind), "cause",
		          problem_cause(&p), NULL);
}
