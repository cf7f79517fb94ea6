#include "admin/actor.h"
#include "admin/listing.h"
#include "base/clock.h"

/* Told first: who can read a copy can read all that is in the store. */
struct copying {
	const char *folder;
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct copying *copying = arg;
	const struct audit_fact facts[] = { audit_text("folder", copying->folder), { 0 } };
	return admin_tell(txn, AUDIT_STORE_COPIED, copying->now, facts, p);
}

/* The CA's folder is not copied: its keys are the operator's to keep, and do not change. */
static bool run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(buf) text = {0};
	struct copying copying = { call->args[0], clock_now() };
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, tell, &copying, p) ||
	    !store_backup(store, call->args[0], p))
		return false;
	if (!call->json) {
		fprintf(call->out, "copied the store to %s\n", call->args[0]);
		return true;
	}
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put(&w, "folder", call->args[0]);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

const struct command admin_backup_command = {
	.name = "backup", .args = "DIR", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = run,
	.summary = "copy the store, also while a server uses it",
	.details = "DIR is made, or empty. It gets data.mdb and seal.key, as they were at one moment. The "
	           "CA's folder is to\n"
	           "be kept apart from it: docs/operations.md.",
};
