#include "admin/policy_json.h"
#include "admin/profile_json.h"
#include "base/clock.h"
#include "server/commands.h"

static bool read_profiles(const struct command_call *call, struct profiles **ret, struct problem *p)
{
	auto_struct(config) *config = NULL;

	return config_load(call->config, &config, p) && config_profiles(config, ret, p);
}

/* --- profile list */

static void add_methods(const struct profile *profile, struct buf *ret)
{
	static const struct {
		enum profile_method bit;
		const char *name;
	} methods[] = { { PROFILE_ACME, "acme" }, { PROFILE_EST, "est" }, { PROFILE_API, "api" } };
	const char *comma = "";

	for (size_t i = 0; i < array_length(methods); i++) {
		if (!(profile->methods & methods[i].bit))
			continue;
		buf_printf(ret, "%s%s", comma, methods[i].name);
		comma = ",";
	}
}

static bool print_row(const struct command_call *call, const struct profile *profile, struct problem *p)
{
	auto_value(buf) methods = {0};
	char validity[CLOCK_DURATION_SIZE];

	add_methods(profile, &methods);
	clock_format_duration(profile->validity, validity);
	fprintf(call->out, "%-32s  %-12s  %-20s  %-20s  %-8s  %s\n", profile->name, buf_text(&methods),
	        profile->policy->name, *profile->issuer ? profile->issuer : "(default)", validity,
	        profile->description ?: "");
	return buf_check(&methods, p);
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(profiles) *profiles = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	const struct profile *profile;

	if (!read_profiles(call, &profiles, p))
		return false;
	json_open_array(&w, NULL);
	if (!call->json)
		fprintf(call->out, "NAME                              METHODS       POLICY                CA        "
		                   "            VALIDITY  DESCRIPTION\n");
	for (size_t i = 0; (profile = profiles_at(profiles, i)); i++) {
		if (!profile_is_public(profile))
			continue;
		profile_put(&w, profile, false);
		if (!call->json && !print_row(call, profile, p))
			return false;
	}
	json_close(&w);
	if (call->json)
		fprintf(call->out, "%s\n", buf_text(&text));
	return buf_check(&text, p);
}

const struct command server_profile_list = {
	.name = "profile list", .args = "", .json = true, .run = list_run,
	.summary = "list the profiles of the configuration",
};

/* --- profile show */

/* Its members, and those of its policy, a line each. */
static bool print_lines(const struct command_call *call, const struct profile *profile, struct problem *p)
{
	auto_value(buf) own = {0}, rules = {0};
	struct json_writer w = json_writer(&own), rules_w = json_writer(&rules);

	profile_put(&w, profile, false);
	policy_put(&rules_w, NULL, profile->policy);
	if (!buf_check(&own, p) || !buf_check(&rules, p))
		return false;
	commands_print_yaml(buf_text(&own), call->out);
	fprintf(call->out, "\nits policy:\n");
	commands_print_yaml(buf_text(&rules), call->out);
	return true;
}

static bool show_run(struct command_call *call, struct problem *p)
{
	auto_struct(profiles) *profiles = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!read_profiles(call, &profiles, p))
		return false;
	const struct profile *profile = profiles_find(profiles, call->args[0]);
	if (!profile || !profile_is_public(profile))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no profile %s", call->args[0]);
	if (!call->json)
		return print_lines(call, profile, p);
	profile_put(&w, profile, true);
	fprintf(call->out, "%s\n", buf_text(&text));
	return buf_check(&text, p);
}

const struct command server_profile_show = {
	.name = "profile show", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .run = show_run,
	.summary = "show what a profile demands: its methods, its CA, its policy with all rules",
};
