#include "admin/trial.h"
#include "base/file.h"
#include "base/json.h"
#include "ca/verdict.h"
#include "policy/csr_pem.h"
#include "policy/gate.h"
#include "server/commands.h"
#include "store/certificate.h"

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
	{ "--as", "WHO", "whose certificates are his own: `identity` or `account` of the inventory, \"token ID\"" },
	{ "--renews", "ID", "the certificate that would be renewed" },
	{ 0 },
};

struct report {
	FILE *out;               /* NULL: JSON */
	struct trial trial;
	char unknown[PROBLEM_DETAIL_MAX]; /* why the issuing CA is not; "": it is known */
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
                       bool held, struct report *report, struct problem *p)
{
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	json_open(&w, NULL);
	json_put(&w, "profile", profile->name);
	json_put(&w, "policy", profile->policy->name);
	json_put(&w, "method", method->name);
	json_put_bool(&w, "approved", held);
	json_put(&w, "issuerUnknown", report->unknown[0] ? report->unknown : NULL);
	bool whole = trial_put(&report->trial, &w, p);
	json_close(&w);
	if (!whole || !buf_check(&text, p))
		return false;
	fprintf(call->out, "%s\n", buf_text(&text));
	return true;
}

/* What a trial looks at besides the CSR. */
struct surroundings {
	struct config *config;
	struct profiles *profiles;
	struct store *store;     /* NULL: nothing is known of the key's history */
	struct ca *ca;           /* without its keys; NULL: its own rules are not judged, and the report says why */
};
static void surroundings_done(struct surroundings *s)
{
	profiles_unref(s->profiles);
	ca_free(s->ca);
	store_close(s->store);
	config_free(s->config);
}
declare_auto_value(surroundings, surroundings_done);

static bool open_issuers(struct surroundings *s, struct problem *p)
{
	auto_free const char **issuers = config_issuers(s->config);
	const struct ca_options options = {
		.folder = s->config->ca.folder, .issuers = issuers, .keyless = true,
		.urls = { .base = s->config->ca.urls, .shards = s->config->ca.crl_shards },
	};

	if (!issuers)
		return problem_memory(p);
	if (!ca_open(&options, BYTES(NULL, 0), &s->ca, p) || (s->store && !ca_follow(s->ca, s->store, p)))
		return false;
	verdict_bind(s->ca, s->profiles);
	return true;
}

/* The store and the CA may not be there yet, and the CA's folder may not be for who asks to read: the rest is judged
 * all the same. */
static bool surroundings_open(struct surroundings *s, struct report *report, struct problem *p)
{
	auto_value(problem) why = {0};

	if (!store_open(s->config->data.folder, false, NULL, &s->store, p) &&
	    !problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	if (!open_issuers(s, &why))
		snprintf(report->unknown, sizeof(report->unknown), "%s", why.cause[0] ? why.cause : why.detail);
	if (report->out && report->unknown[0])
		fprintf(report->out, "unknown issuer-allows, issuer-ready\n        %s\n", report->unknown);
	return true;
}

static bool is_there(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(certificate) certificate = {0};
	const char *id = arg;

	return store_certificate_get(txn, id, &certificate, p) ||
	       problem_missing(p, "--renews: there is no certificate \"%s\"", id);
}

static bool check_renewed(const struct command_call *call, struct store *store, struct problem *p)
{
	auto_free char *id = command_value(call, "--renews") ? strdup(command_value(call, "--renews")) : NULL;

	if (!id)
		return true;
	return store ? store_view(store, is_there, id, p) : problem_set(p, PROBLEM_NOT_FOUND, "--renews: there is no store");
}

static bool judge(struct command_call *call, struct surroundings *s, const struct profile *profile, struct bytes csr,
                  struct report *report, struct problem *p)
{
	struct gate_test test = {
		.profile = profile->name,
		.rule = show_rule,
		.verdict = show_verdict,
		.arg = report,
		.who = { command_value(call, "--identity"), command_value(call, "--account"),
		         command_value(call, "--eab") },
		.asker = command_value(call, "--as"),
		.replaces = command_value(call, "--renews"),
	};
	const struct method *method = method_choose(call, profile, p);
	bool held;

	if (!method)
		return false;
	test.method = method->bit;
	if (!gate_test(s->store, s->profiles, &test, csr, &held, p))
		return false;
	if (call->json && !print_json(call, profile, method, held, report, p))
		return false;
	return held || problem_set(p, PROBLEM_BAD_CSR, "profile %s would refuse this CSR by %s", profile->name,
	                           method->name);
}

static bool policy_test_run(struct command_call *call, struct problem *p)
{
	auto_value(report) report = { .out = call->json ? NULL : call->out };
	auto_value(surroundings) s = {0};
	auto_value(buf) text = {0}, csr = {0};
	const char *name = command_value(call, "--profile");

	trial_begin(&report.trial);
	if (!config_load(call->config, &s.config, p) || !config_profiles(s.config, &s.profiles, p))
		return false;
	const struct profile *profile = name ? profiles_find(s.profiles, name) : profiles_default(s.profiles);
	if (!profile)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no profile \"%s\"", name);
	return file_read(call->args[0], FILE_MAX, &text, p) && csr_from_text(buf_bytes(&text), &csr, p) &&
	       surroundings_open(&s, &report, p) && check_renewed(call, s.store, p) &&
	       judge(call, &s, profile, buf_bytes(&csr), &report, p);
}

const struct command server_policy_test = {
	.name = "policy test", .args = "FILE", .args_min = 1, .args_max = 1, .json = true, .options = test_options,
	.run = policy_test_run,
	.summary = "judge a CSR without issuing",
	.details = "Every rule of the gate that concerns a CSR, and every verdict of the profile's policy, as if\n"
	           "who asks had proven the names in it. Fails when one is broken.",
};
