#include "admin/actor.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

/* The kernel keeps it from the login on, through su and sudo; without a login it is all ones. */
static uid_t login_user(void)
{
	unsigned uid = (unsigned)-1;
	FILE *file = fopen("/proc/self/loginuid", "re");
	if (!file)
		return getuid();
	bool read = fscanf(file, "%u", &uid) == 1;
	fclose(file);
	return read && uid != (unsigned)-1 ? (uid_t)uid : getuid();
}

void admin_actor(char ret[ADMIN_ACTOR_SIZE])
{
	char text[1024];
	struct passwd user, *found = NULL;
	uid_t uid = login_user();
	if (getpwuid_r(uid, &user, text, sizeof text, &found) == 0 && found)
		snprintf(ret, ADMIN_ACTOR_SIZE, "operator %s", found->pw_name);
	else
		snprintf(ret, ADMIN_ACTOR_SIZE, "operator %u", (unsigned)uid);
}

struct actor admin_actor_now(char name[ADMIN_ACTOR_SIZE])
{
	admin_actor(name);
	return (struct actor){ .name = name, .now = clock_now() };
}

bool actor_tell(struct store_txn *txn, enum audit_kind kind, const struct actor *actor, const struct audit_fact *facts,
                struct problem *p)
{
	return store_audit_add(txn, &(struct audit_event){ kind, actor->now, actor->name, actor->from, facts }, p);
}

bool admin_tell(struct store_txn *txn, enum audit_kind kind, int64_t now, const struct audit_fact *facts,
                struct problem *p)
{
	char actor[ADMIN_ACTOR_SIZE];
	admin_actor(actor);
	return store_audit_add(
		txn, &(struct audit_event){ .kind = kind, .time = now, .actor = actor, .facts = facts }, p);
}
