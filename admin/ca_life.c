/* ca renew, ca rekey, ca rollover. */
#include "admin/ca_work.h"
#include "ca/rollover.h"

static bool renew_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};

	return ca_work_open(call, false, &work, p) && ca_work_terms(call, &work, p) &&
	       life_renew(&work.life, call->args[0], &work.terms, &work.change, p) &&
	       ca_work_commit(call, &work, "renewed", p);
}

static const struct command_option renew_options[] = {
	CA_OPTION_LIFETIME, CA_OPTION_PATH_LENGTH, CA_OPTION_PERMIT, CA_OPTION_EXCLUDE, { 0 },
};
const struct command admin_ca_renew = {
	.name = "ca renew", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = renew_options, .run = renew_run,
	.summary = "give a CA a new certificate of the same key",
	.details =
		"The key of the CA above it must be in the CA's folder; `enrolld ca csr` does without. A root "
		"signs\n"
		"itself, and the chains that end in it are written anew.",
};

static bool rekey_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};

	return ca_work_open(call, false, &work, p) && ca_work_terms(call, &work, p) &&
	       life_rekey(&work.life, call->args[0], &work.terms, &work.change, p) &&
	       ca_work_commit(call, &work, "rekeyed", p);
}

static const struct command_option rekey_options[] = {
	CA_OPTION_KEY,         CA_OPTION_KEY_URI, CA_OPTION_NAME,    CA_OPTION_LIFETIME,
	CA_OPTION_PATH_LENGTH, CA_OPTION_PERMIT,  CA_OPTION_EXCLUDE, { 0 },
};
const struct command admin_ca_rekey = {
	.name = "ca rekey", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = rekey_options, .run = rekey_run,
	.summary = "put a CA of a new key in the place of one",
	.details =
		"Makes NAME-2 after NAME. Profiles that name NAME issue from it; NAME goes on with its CRL and "
		"OCSP\n"
		"answers until its certificate has ended.",
};

static bool rollover_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	bool forward = command_value(call, "--switch"), end = command_value(call, "--end");

	if (forward && end)
		return problem_set(p, PROBLEM_MALFORMED, "--switch comes first, and --end much later");
	if (!ca_work_open(call, false, &work, p) || !ca_work_terms(call, &work, p))
		return false;
	if (forward)
		return rollover_switch(&work.life, &work.change, p) &&
		       ca_work_commit(call, &work, "rollover-switched", p);
	if (end)
		return rollover_end(&work.life, &work.change, p) && ca_work_commit(call, &work, "rollover-ended", p);
	return rollover_begin(&work.life, &work.terms, &work.change, p) &&
	       ca_work_commit(call, &work, "rollover-begun", p);
}

static const struct command_option rollover_options[] = {
	{ "--switch", NULL, "make the new root and its chains the default ones" },
	{ "--end", NULL, "let nothing lead to the old root any more" },
	CA_OPTION_KEY, CA_OPTION_KEY_URI, CA_OPTION_LIFETIME, CA_OPTION_PATH_LENGTH, { 0 },
};
const struct command admin_ca_rollover = {
	.name = "ca rollover", .args = "", .json = true, .admin = true, .options = rollover_options,
	.run = rollover_run,
	.summary = "give the root a new key, in three steps",
	.details =
		"Without --switch or --end it begins: it makes a new root of the same name, OldWithNew and "
		"NewWithOld\n"
		"(RFC 4210, 4.4), which EST hands out, and alternate chains up to the new root.",
};
