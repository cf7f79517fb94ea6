/* Event: what the server tells the audit log of itself (store/audit.h). */
#pragma once

#include "server/config.h"
#include "store/audit.h"

/* config: what it serves with, or goes on with; NULL where there is none that can be read, path is the file then.
 * cause: why it was refused; NULL. */
struct server_event {
	enum audit_kind kind;
	const struct config *config;
	const char *path, *cause;
};
/* In an update that does what is told of. */
bool server_event_add(struct store_txn *txn, const struct server_event *event, int64_t now, struct problem *p) must_use;
/* In one of its own, where nothing depends on it: a failure is logged. */
void server_tell_or_log(struct store *store, const struct server_event *event);
