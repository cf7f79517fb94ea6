/* Actor: who runs a command, and what is told of it to the audit log. Internal to admin/. */
#pragma once

#include "store/audit.h"

/* Who does something when, for the audit log. */
struct actor {
	const char *name;             /* "operator NAME", "token ID" */
	const char *from;             /* address; NULL: none */
	int64_t now;
};
/* In the update that does it. facts may be NULL. */
bool actor_tell(struct store_txn *txn, enum audit_kind kind, const struct actor *actor, const struct audit_fact *facts,
                struct problem *p) must_use;

enum { ADMIN_ACTOR_SIZE = 80 };
/* "operator NAME": who logged in, also when sudo made another user of them; else whose process it is. */
void admin_actor(char ret[ADMIN_ACTOR_SIZE]);
/* The same, now; the name is kept in `name`. */
struct actor admin_actor_now(char name[ADMIN_ACTOR_SIZE]);

/* In the update that does what the command is for. facts may be NULL. */
bool admin_tell(struct store_txn *txn, enum audit_kind kind, int64_t now, const struct audit_fact *facts,
                struct problem *p) must_use;
