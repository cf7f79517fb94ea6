/* Command: one row for each sub-command, and the reading of a command line by such rows.
 *
 * A command writes its result to standard output, as text or, with --json, as JSON, and returns
 * problems; main prints those. It works whether a server runs on the same store or not. One thread. */
#pragma once

#include <stdio.h>

#include "base/bytes.h"

enum { COMMAND_OPTIONS_MAX = 24, COMMAND_ARGS_MAX = 40 };

struct command_option {
	const char *name;      /* "--reason"; NULL ends the list */
	const char *value;     /* "REASON", or NULL: a switch */
	const char *meaning;
};
struct command_call;
struct command {
	const char *name;      /* "cert revoke" */
	const char *args;      /* "ID|SERIAL|FINGERPRINT"; "" none */
	unsigned args_min, args_max;
	const char *summary;   /* one line */
	const char *details;   /* more for --help; NULL: nothing */
	bool json;             /* prints data: takes --json */
	bool admin;            /* works on what the configuration names: call->admin is set */
	const struct command_option *options; /* NULL: none but --config, --json, --help */
	bool (*run)(struct command_call *call, struct problem *p);
};
struct command_call {
	const struct command *command;
	const char *args[COMMAND_ARGS_MAX];
	unsigned arg_count;
	const char *values[COMMAND_OPTIONS_MAX]; /* of command->options; a switch that stands there has "" */
	const char *config;    /* NULL: not given */
	bool json;
	FILE *out;
	const struct admin *admin;   /* admin/admin.h */
};
/* A NULL-ended list of rows. MALFORMED says what is wrong with the line; ret->command is set
 * whenever the command was recognized. */
bool command_parse(const struct command *const *table, int argc, char *const *argv, struct command_call *ret,
                   struct problem *p) must_use;
/* The value of the option, or NULL. The name must be one of the row's. */
const char *command_value(const struct command_call *call, const char *option);
/* Whether the line asks for help, with --help or -h anywhere or `help` in front, and there is some: of the
 * command that it names, of those of a first word, of all. */
bool command_help(const struct command *const *table, int argc, char *const *argv, FILE *out);
void command_print_help(const struct command *command, FILE *out);
void command_print_list(const struct command *const *table, FILE *out);
