#include "acme/event.h"

#include <assert.h>

#include "store/audit_queue.h"

enum { FACTS_MAX = 8 };

void event_actor(const char *account_id, char ret[EVENT_ACTOR_SIZE])
{
	snprintf(ret, EVENT_ACTOR_SIZE, "account %s", account_id);
}

void event_from(const struct acme_call *call, char ret[ADDR_TEXT_SIZE])
{
	addr_format(&call->request->peer, ret);
}

bool event_account(struct store_txn *txn, const struct acme_call *call, enum audit_kind kind, const char *account_id,
                   const struct audit_fact *more, struct problem *p)
{
	char actor[EVENT_ACTOR_SIZE], from[ADDR_TEXT_SIZE];
	struct audit_fact facts[FACTS_MAX + 2] = { audit_text("account", account_id) };

	for (size_t i = 0; more && more[i].name; i++) {
		assert(i < FACTS_MAX);
		facts[i + 1] = more[i];
	}
	event_actor(account_id, actor);
	event_from(call, from);
	return store_audit_add(txn, &(struct audit_event){ kind, call->now, actor, from, facts }, p);
}

/* --- refusals */

static bool of_policy(enum problem_kind kind)
{
	switch (kind) {
	case PROBLEM_BAD_CSR:
	case PROBLEM_BAD_PUBLIC_KEY:
	case PROBLEM_CAA:
	case PROBLEM_COMPOUND:
	case PROBLEM_EXTERNAL_ACCOUNT_REQUIRED:
	case PROBLEM_INVALID_PROFILE:
	case PROBLEM_REJECTED_IDENTIFIER:
	case PROBLEM_UNAUTHORIZED:
	case PROBLEM_UNSUPPORTED_IDENTIFIER:
		return true;
	default:
		return false;
	}
}

void event_refused(const struct acme_call *call, enum audit_kind kind, const char *subject, const char *id,
                   const struct problem *p)
{
	char actor[EVENT_ACTOR_SIZE], from[ADDR_TEXT_SIZE];
	if (!call->account.id[0] || !of_policy(p->kind))
		return;
	event_actor(call->account.id, actor);
	event_from(call, from);
	const struct audit_fact facts[] = {
		audit_text("account", call->account.id), audit_text(id ? subject : "none", id),
		audit_text("directory", call->directory), { 0 },
	};
	audit_queue_refuse(call->acme->audit, &(struct audit_event){ kind, call->now, actor, from, facts }, p);
}
