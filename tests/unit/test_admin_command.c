/* Command lines: which row, which options, which arguments, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "admin/admin.h"

static const struct command_option options[] = {
	{ "--reason", "REASON", "why" }, { "--force", NULL, "really" }, { "--to", "NAME[,NAME...]", "whom" }, { 0 },
};
static const struct command serve = { .name = "serve", .args = "", .summary = "serve" };
static const struct command check = { .name = "check", .args = "[FILE]", .args_max = 1, .summary = "check",
                                      .json = true };
static const struct command show = { .name = "cert show", .args = "ID", .args_min = 1, .args_max = 1,
                                     .summary = "show", .json = true };
static const struct command revoke = {
	.name = "cert revoke", .args = "ID", .args_min = 1, .args_max = 1, .summary = "revoke",
	        .options = options,
};
static const struct command *const table[] = { &serve, &check, &show, &revoke, NULL };

/* A line of words; at most 15. */
static bool parse(const char *line, struct command_call *ret, struct problem *p)
{
	static char text[512];
	static char *argv[16];
	int argc = 1;
	snprintf(text, sizeof text, "%s", line);
	argv[0] = (char[]){ "enrolld" };
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return command_parse(table, argc, argv, ret, p);
}

static void takes_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const struct command *want;
		const char *want_arg, *want_reason, *want_config;
		bool want_force, want_json;
	} rows[] = {
		{ "serve", &serve, NULL, NULL, NULL, false, false },
		{ "serve --config f", &serve, NULL, NULL, "f", false, false },
		{ "--config f serve", &serve, NULL, NULL, "f", false, false },
		{ "serve --config=f", &serve, NULL, NULL, "f", false, false },
		{ "check", &check, NULL, NULL, NULL, false, false },
		{ "check f --json", &check, "f", NULL, NULL, false, true },
		{ "check show", &check, "show", NULL, NULL, false, false },
		{ "cert --config f show x --json", &show, "x", NULL, "f", false, true },
		{ "cert revoke x --reason 1 --force", &revoke, "x", "1", NULL, true, false },
		{ "cert revoke --reason=keyCompromise x", &revoke, "x", "keyCompromise", NULL, false, false },
		{ "cert revoke --reason= x", &revoke, "x", "", NULL, false, false },
		{ "cert revoke -- --force", &revoke, "--force", NULL, NULL, false, false },
		/* An id may begin as an option does. */
		{ "cert revoke -xxxxxxxxxxxxxxxxxxxxA", &revoke, "-xxxxxxxxxxxxxxxxxxxxA", NULL, NULL, false,
		  false },
		{ "cert revoke --xxxxxxxxxxxxxxxxxxxA --force", &revoke, "--xxxxxxxxxxxxxxxxxxxA", NULL, NULL,
		  true, false },
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		struct command_call call;
		auto_value(problem) p = {0};
		if (!parse(rows[i].line, &call, &p))
			fail_msg("%s: %s", rows[i].line, p.detail);
		assert_ptr_equal(call.command, rows[i].want);
		assert_int_equal(call.json, rows[i].want_json);
		assert_int_equal(call.arg_count, rows[i].want_arg ? 1 : 0);
		if (rows[i].want_arg)
			assert_string_equal(call.args[0], rows[i].want_arg);
		assert_string_equal(call.config ?: "", rows[i].want_config ?: "");
		if (rows[i].want != &revoke)
			continue;
		const char *reason = command_value(&call, "--reason");
		assert_int_equal(!!reason, !!rows[i].want_reason);
		assert_string_equal(reason ?: "", rows[i].want_reason ?: "");
		assert_int_equal(!!command_value(&call, "--force"), rows[i].want_force);
	}
}

static void refuses_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *want;
		const struct command *want_command;
	} rows[] = {
		{ "", "a command is missing", NULL },
		{ "--json", "a command is missing", NULL },
		{ "sing", "there is no such command: sing", NULL },
		{ "cert", "expected one of show, revoke after cert", NULL },
		{ "cert sing", "expected one of show, revoke after cert", NULL },
		{ "cer", "there is no such command: cer", NULL },
		{ "serve x", "this argument is one too many: x", &serve },
		{ "serve --json", "there is no such option: --json", &serve },
		{ "serve --reason x", "there is no such option: --reason", &serve },
		{ "serve -c", "there is no such option: -c", &serve },
		{ "serve --config", "a value is missing after: --config", &serve },
		{ "cert show", "an argument is missing: ID", &show },
		{ "cert show x y", "this argument is one too many: y", &show },
		{ "cert show x --json=yes", "this option takes no value: --json", &show },
		{ "cert revoke x --force=1", "this option takes no value: --force", &revoke },
		{ "cert revoke x --reason 1 --reason 2", "this option stands twice: --reason", &revoke },
		{ "cert revoke x --to a --to b", "this option stands twice, where one takes a list with commas: --to", &revoke },
		{ "cert revoke x --to=", "an entry of this list is empty: --to", &revoke },
		{ "cert revoke x --to ,", "an entry of this list is empty: --to", &revoke },
		{ "cert revoke x --to a,,b", "an entry of this list is empty: --to", &revoke },
		{ "cert revoke x --to a,", "an entry of this list is empty: --to", &revoke },
		{ "cert revoke x --reason", "a value is missing after: --reason", &revoke },
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		struct command_call call;
		auto_value(problem) p = {0};
		assert_false(parse(rows[i].line, &call, &p));
		assert_string_equal(p.detail, rows[i].want);
		assert_ptr_equal(call.command, rows[i].want_command);
	}
}

static void help_tells_each_option(void **state)
{
	(void)state;
	static const struct command *const all[] = {
		&admin_init_command, &admin_backup_command, &admin_version_command, &admin_cert_list,
		        &admin_cert_show,
		&admin_cert_revoke, &admin_account_list, &admin_account_show, &admin_account_deactivate,
		        &admin_eab_create,
		&admin_eab_list, &admin_eab_revoke,
	};
	for (size_t i = 0; i < array_length(all); i++) {
		auto_free char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);
		command_print_help(all[i], out);
		fclose(out);
		assert_non_null(strstr(text, all[i]->name));
		assert_non_null(strstr(text, all[i]->summary));
		assert_non_null(strstr(text, "--config"));
		assert_int_equal(!!strstr(text, "--json"), all[i]->json);
		for (size_t o = 0; all[i]->options && all[i]->options[o].name; o++) {
			assert_true(o < COMMAND_OPTIONS_MAX);
			assert_non_null(strstr(text, all[i]->options[o].name));
		}
	}
}

static void help_is_found_in_the_line(void **state)
{
	(void)state;
	static const struct {
		const char *line, *want; /* NULL: there is none */
	} rows[] = {
		{ "--help", "usage: enrolld COMMAND" }, { "-h", "usage: enrolld COMMAND" }, { "help", "usage: enrolld COMMAND" },
		{ "cert --help", "usage: enrolld cert COMMAND" }, { "help cert", "usage: enrolld cert COMMAND" },
		{ "cert show -h", "usage: enrolld cert show" }, { "help cert show", "usage: enrolld cert show" },
		{ "--config f cert show --help", "usage: enrolld cert show" }, { "serve --help --json", "usage: enrolld serve" },
		{ "serve", NULL }, { "cert revoke -- --help", NULL }, { "check help", NULL }, { "help sing", NULL }, { "cer -h", NULL },
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_free char *text = NULL, *line = strdup(rows[i].line);
		size_t len;
		FILE *out = open_memstream(&text, &len);
		char *argv[16] = { line };
		int argc = 1;
		for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
			argv[argc++] = word;
		assert_int_equal(command_help(table, argc, argv, out), !!rows[i].want);
		fclose(out);
		assert_true(str_starts(text, rows[i].want ?: ""));
		assert_int_equal(len > 0, !!rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lines),
		cmocka_unit_test(refuses_lines),
		cmocka_unit_test(help_tells_each_option),
		cmocka_unit_test(help_is_found_in_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
