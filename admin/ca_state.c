/* ca disable, ca enable. */
#include "admin/actor.h"
#include "admin/admin.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "ca/files.h"
#include "store/authority.h"

struct deciding {
	const char *name;
	bool disable;
	int64_t now;
};

static bool decide(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct deciding *d = arg;
	auto_value(authority_state) state = {0};
	char actor[ADMIN_ACTOR_SIZE];
	const struct audit_fact facts[] = { audit_text("ca", d->name), { 0 } };

	if (!store_authority_get(txn, d->name, &state, p))
		return false;
	if ((state.disabled != 0) == d->disable)
		return problem_set(p, PROBLEM_CONFLICT, "%s is %s already", d->name, d->disable ? "disabled" : "enabled");
	admin_actor(actor);
	state.disabled = d->disable ? d->now : 0;
	state.disabled_by = d->disable ? actor : NULL;
	return store_authority_put(txn, &state, p) &&
	       admin_tell(txn, d->disable ? AUDIT_CA_DISABLED : AUDIT_CA_ENABLED, d->now, facts, p);
}

static bool run(struct command_call *call, bool disable, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto(X509) *certificate = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	struct deciding deciding = { call->args[0], disable, clock_now() };

	if (!files_certificate(call->admin->ca.folder, call->args[0], &certificate, p) ||
	    !admin_open_store(call->admin, &store, p) || !store_update(store, decide, &deciding, p))
		return false;
	if (!call->json) {
		fprintf(call->out, "%s %s\n", disable ? "disabled" : "enabled", call->args[0]);
		return true;
	}
	json_open(&w, NULL);
	json_put(&w, "ca", call->args[0]);
	json_put_bool(&w, "disabled", disable);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

static bool disable_run(struct command_call *call, struct problem *p)
{
	return run(call, true, p);
}

static bool enable_run(struct command_call *call, struct problem *p)
{
	return run(call, false, p);
}

const struct command admin_ca_disable = {
	.name = "ca disable", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = disable_run,
	.summary = "let a CA issue nothing more",
	.details = "Counts from this moment, also for a server that runs. CRL and OCSP answers go on.",
};
const struct command admin_ca_enable = {
	.name = "ca enable", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = enable_run,
	.summary = "let a CA that was disabled issue again",
};
