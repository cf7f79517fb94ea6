/* ca disable, ca enable. */
#include "admin/admin.h"
#include "admin/ca_facts.h"
#include "admin/listing.h"
#include "ca/files.h"

static bool run(struct command_call *call, bool disable, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto(X509) *certificate = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);

	if (!files_certificate(call->admin->ca.folder, call->args[0], &certificate, p) ||
	    !admin_open_store(call->admin, &store, p) || !ca_switch(store, call->args[0], disable, &actor, p))
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
	.name = "ca disable", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = disable_run,
	.summary = "let a CA issue nothing more",
	.details = "Counts from this moment, also for a server that runs. CRL and OCSP answers go on.",
};
const struct command admin_ca_enable = {
	.name = "ca enable", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = enable_run,
	.summary = "let a CA that was disabled issue again",
};
