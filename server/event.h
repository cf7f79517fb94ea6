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
bool server_tell(struct store *store, const struct server_event *event, struct problem *p) must_use;
/* The same where nothing depends on it: a failure is logged. */
void server_tell_or_log(struct store *store, const struct server_event *event);
