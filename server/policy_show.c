#include "admin/policy_json.h"
#include "server/commands.h"
#include "server/config_policy.h"

/* JSON's values are YAML's: each member on a line, as an entry of `policies`. */
void commands_print_yaml(const char *json, FILE *out)
{
	bool quoted = false;
	int depth = 0;

	fputs("- ", out);
	for (const char *c = json; *c; c++) {
		if (*c == '\\' && quoted) {
			fputc(*c++, out);
		} else if (*c == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr("{[", *c)) {
			if (depth++ == 0)
				continue;
		} else if (!quoted && strchr("}]", *c)) {
			if (--depth == 0)
				break;
		} else if (!quoted && *c == ',' && depth == 1) {
			fputs("\n  ", out);
			continue;
		}
		fputc(*c, out);
		if (!quoted && strchr(":,", *c))
			fputc(' ', out);
	}
	fputc('\n', out);
}

static bool policy_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(config) *config = NULL;
	auto_struct(policy) *policy = NULL;
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!config_load(call->config, &config, p) || !config_policy_find(config, call->args[0], &policy, p))
		return false;
	policy_put(&w, NULL, policy);
	if (!buf_check(&text, p))
		return false;
	if (call->json)
		fprintf(call->out, "%s\n", buf_text(&text));
	else
		commands_print_yaml(buf_text(&text), call->out);
	return true;
}

const struct command server_policy_show = {
	.name = "policy show", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .run = policy_show_run,
	.summary = "show all rules of a policy",
	.details = "Prints a built-in policy, or one of the file, as it would stand among `policies`: under another\n"
	           "name it is the beginning of one's own.",
};
