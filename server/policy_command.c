#include "admin/trial.h"
#include "base/file.h"
#include "base/json.h"
#include "policy/csr_pem.h"
#include "policy/gate.h"
#include "server/commands.h"

enum { FILE_MAX = 1024 * 1024 };

/* --- policy list */

static void put_policy(const struct command_call *call, struct json_writer *w, const char *name,
                       const char *description, bool preset)
{
	if (!call->json) {
		fprintf(call->out, "%-32s %-9s %s\n", name, preset ? "built-in" : "file", description);
		return;
	}
	json_open(w, NULL);
	json_put(w, "name", name);
	json_put_bool(w, "builtIn", preset);
	json_put_some(w, "description", description);
	json_close(w);
}

static bool policy_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(config) *config = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	const struct policy_preset *preset;

	if (!config_load(call->config, &config, p))
		return false;
	json_open_array(&w, NULL);
	for (size_t i = 0; (preset = policy_preset_at(i)); i++)
		put_policy(call, &w, preset->name, preset->description, true);
	for (size_t i = 0; i < config->policy_count; i++)
		put_policy(call, &w, config->policies[i].policy.name, "", false);
	json_close(&w);
	if (call->json)
		fprintf(call->out, "%s\n", buf_text(&text));
	return buf_check(&text, p);
}

const struct command server_policy_list = {
	.name = "policy list", .args = "", .json = true, .run = policy_list_run,
	.summary = "list the policies that a profile can name",
};

/* --- policy test */

static const struct command_option test_options[] = {
	{ "--profile", "NAME", "the profile; the default one otherwise" },
	{ "--method", "METHOD",
	  "acme, est or api; otherwise the one of the profile's that lets a CSR say most: api, est, acme" },
	{ "--identity", "TEXT", "what {identity} stands for" },
	{ "--account", "ID", "what {account} stands for" },
	{ "--eab", "KID", "what {eab} stands for" },
	{ 0 },
};

struct report {
	FILE *out;               /* NULL: JSON */
	struct trial trial;
};
static void report_done(struct report *r)
{
	trial_free(&r->trial);
}
declare_auto_value(report, report_done);

static void show_rule(void *arg, const char *name, bool held, const struct problem *p)
{
	struct report *r = arg;

	if (r->out)
		fprintf(r->out, "%-7s %s\n", held ? "held" : "BROKEN", name);
	for (size_t i = 0; r->out && i < p->sub_count; i++)
		fprintf(r->out, "        %s\n", p->subs[i].detail);
	trial_rule(&r->trial, name, held, p);
}

static void show_verdict(void *arg, const struct policy_verdict *verdict)
{
	struct report *r = arg;
	const char *value = verdict->value ?: "";

	if (r->out)
		fprintf(r->out, "%-7s %s %s \"%s\"%s%s\n", verdict->held ? "held" : "BROKEN", verdict->field,
		        verdict->rule, value, verdict->held ? "" : ": ", verdict->held ? "" : verdict->text);
	trial_verdict(&r->trial, verdict);
}

struct method {
	const char *name;
	enum profile_method bit;
};

static const struct method *method_choose(const struct command_call *call, const struct profile *profile,
                                          struct problem *p)
{
	static const struct method methods[] = { { "api", PROFILE_API },
		                                 { "est", PROFILE_EST },
		                                 { "acme", PROFILE_ACME } };
	const char *name = command_value(call, "--method");

	for (size_t i = 0; i < array_length(methods); i++)
		if (name ? str_equal(name, methods[i].name) : (profile->methods & methods[i].bit) != 0)
			return &methods[i];
	problem_set(p, PROBLEM_MALFORMED, "--method: expected one of acme, est, api");
	return NULL;
}

static bool print_json(const struct command_call *call, const struct profile *profile, const struct method *method,
                       bool held, struct trial *trial, struct problem *p)
{
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	json_open(&w, NULL);
	json_put(&w, "profile", profile->name);
	json_put(&w, "policy", profile->policy->name);
	json_put(&w, "method", method->name);
	json_put_bool(&w, "approved", held);
	bool whole = trial_put(trial, &w, p);
	json_close(&w);
	if (!whole || !buf_check(&text, p))
		return false;
	fprintf(call->out, "%s\n", buf_text(&text));
	return true;
}

static bool judge(struct command_call *call, struct store *store, const struct profiles *profiles,
                  const struct profile *profile, struct bytes csr, struct problem *p)
{
	auto_value(report) report = { .out = call->json ? NULL : call->out };
	struct gate_test test = {
		.profile = profile->name,
		.rule = show_rule,
		.verdict = show_verdict,
		.arg = &report,
		.who = { command_value(call, "--identity"), command_value(call, "--account"),
		         command_value(call, "--eab") },
	};
	const struct method *method = method_choose(call, profile, p);
	bool held;

	trial_begin(&report.trial);
	if (!method)
		return false;
	test.method = method->bit;
	if (!gate_test(store, profiles, &test, csr, &held, p))
		return false;
	if (call->json && !print_json(call, profile, method, held, &report.trial, p))
		return false;
	return held || problem_set(p, PROBLEM_BAD_CSR, "profile %s would refuse this CSR by %s", profile->name,
	                           method->name);
}

/* Without a store nothing is known of the key's history, and the rest is judged all the same. */
static bool policy_test_run(struct command_call *call, struct problem *p)
{
	auto_struct(config) *config = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_struct(store) *store = NULL;
	auto_value(buf) text = {0}, csr = {0};
	const char *name = command_value(call, "--profile");

	if (!config_load(call->config, &config, p) || !config_profiles(config, &profiles, p))
		return false;
	const struct profile *profile = name ? profiles_find(profiles, name) : profiles_default(profiles);
	if (!profile)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no profile \"%s\"", name);
	if (!file_read(call->args[0], FILE_MAX, &text, p) || !csr_from_text(buf_bytes(&text), &csr, p))
		return false;
	if (!store_open(config->data.folder, false, NULL, &store, p) && !problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	return judge(call, store, profiles, profile, buf_bytes(&csr), p);
}

const struct command server_policy_test = {
	.name = "policy test", .args = "FILE", .args_min = 1, .args_max = 1, .json = true, .options = test_options,
	.run = policy_test_run,
	.summary = "judge a CSR without issuing",
	.details = "Every rule of the gate that concerns a CSR, and every verdict of the profile's policy, as if\n"
	           "who asks had proven the names in it. Fails when one is broken.",
};
