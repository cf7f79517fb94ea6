#include "admin/command.h"

#include <assert.h>

#include "base/random.h"

static const struct command_option general_options[] = {
	{ "--config", "FILE", "the configuration file" },
	{ "--json", NULL, "JSON instead of text" },
	{ "--help", NULL, "this text" },
	{ 0 },
};
enum { OPTION_CONFIG, OPTION_JSON };

static bool usage(struct problem *p, const char *what, const char *which)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s%s%s", what, which ? ": " : "", which ?: "");
}

/* The row of the option that text names, alone or as "--option=value". */
static int option_index(const struct command_option *options, const char *text)
{
	size_t len = strcspn(text, "=");
	for (int i = 0; options && options[i].name; i++)
		if (strlen(options[i].name) == len && strncmp(options[i].name, text, len) == 0)
			return i;
	return -1;
}

/* --- which command: its words are the first that are neither options nor the value of --config */

static size_t first_words(int argc, char *const *argv, const char *words[2])
{
	size_t n = 0;
	for (int i = 1; i < argc && n < 2; i++) {
		if (str_equal(argv[i], "--config"))
			i++;
		else if (argv[i][0] != '-')
			words[n++] = argv[i];
	}
	return n;
}

static bool is_named(const struct command *command, const char *first, const char *second)
{
	size_t len = strlen(first);
	if (!str_starts(command->name, first))
		return false;
	return second ? command->name[len] == ' ' && str_equal(command->name + len + 1, second)
	              : command->name[len] == '\0';
}

/* "cert show" goes before "cert" alone. ret_words: how many words the name has. */
static const struct command *find(const struct command *const *table, const char *const words[2], size_t n,
                                  unsigned *ret_words)
{
	for (*ret_words = (unsigned)n; *ret_words > 0; --*ret_words)
		for (const struct command *const *row = table; *row; row++)
			if (is_named(*row, words[0], *ret_words == 2 ? words[1] : NULL))
				return *row;
	return NULL;
}

static bool unknown(const struct command *const *table, const char *const words[2], size_t n,
                    struct problem *p)
{
	if (n == 0)
		return usage(p, "a command is missing", NULL);
	auto_value(buf) known = {0};
	size_t len = strlen(words[0]);
	for (const struct command *const *row = table; *row; row++)
		if (str_starts((*row)->name, words[0]) && (*row)->name[len] == ' ')
			buf_printf(&known, "%s %s", known.len ? "," : "", (*row)->name + len + 1);
	if (known.len == 0)
		return usage(p, "there is no such command", words[0]);
	return problem_set(p, PROBLEM_MALFORMED, "expected one of%s after %s", buf_text(&known), words[0]);
}

/* --- its options and arguments */

static bool takes(const struct command *command, int general)
{
	return general != OPTION_JSON || command->json;
}

static void set_general(struct command_call *call, int index, const char *value)
{
	if (index == OPTION_CONFIG)
		call->config = value;
	call->json |= index == OPTION_JSON;
}

static bool takes_list(const struct command_option *option)
{
	return option->value && strstr(option->value, "[,");
}

/* As of `--name "$NAMES"` with a variable that is not set: taken as no list at all it would lift a limit. */
static bool has_empty_entry(const char *list)
{
	size_t len = strlen(list);
	return len == 0 || list[0] == ',' || list[len - 1] == ',' || strstr(list, ",,");
}

/* Reads the option at argv[*i], and its value, which may be the next word. */
static bool read_option(struct command_call *call, int argc, char *const *argv, int *i, struct problem *p)
{
	const char *text = argv[*i], *equals = strchr(text, '=');
	int own = option_index(call->command->options, text);
	int general = own < 0 ? option_index(general_options, text) : -1;
	if (own < 0 && (general < 0 || !takes(call->command, general)))
		return usage(p, "there is no such option", text);
	const struct command_option *option = own < 0 ? &general_options[general] : &call->command->options[own];
	if (!option->value && equals)
		return usage(p, "this option takes no value", option->name);
	const char *value = option->value ? equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL : "";
	if (!value)
		return usage(p, "a value is missing after", option->name);
	if (own >= 0 && call->values[own])
		return usage(p, takes_list(option) ? "this option stands twice, where one takes a list with commas"
		                                   : "this option stands twice", option->name);
	if (takes_list(option) && has_empty_entry(value))
		return usage(p, "an entry of this list is empty", option->name);
	if (own < 0)
		set_general(call, general, value);
	else
		call->values[own] = value;
	return true;
}

static bool add_arg(struct command_call *call, const char *text, struct problem *p)
{
	if (call->arg_count == call->command->args_max)
		return usage(p, "this argument is one too many", text);
	call->args[call->arg_count++] = text;
	return true;
}

/* Ids can begin with a hyphen. */
static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] && !random_id_valid(text);
}

static bool read_line(struct command_call *call, unsigned words, int argc, char *const *argv,
                      struct problem *p)
{
	bool options_end = false;
	for (int i = 1; i < argc; i++) {
		if (!options_end && str_equal(argv[i], "--"))
			options_end = true;
		else if (!options_end && is_option(argv[i])) {
			if (!read_option(call, argc, argv, &i, p))
				return false;
		} else if (words > 0)
			words--;
		else if (!add_arg(call, argv[i], p))
			return false;
	}
	if (call->arg_count < call->command->args_min)
		return usage(p, "an argument is missing", call->command->args);
	return true;
}

static void check_row(const struct command *command)
{
	size_t n = 0;
	while (command->options && command->options[n].name)
		n++;
	assert(n <= COMMAND_OPTIONS_MAX && command->args_max <= COMMAND_ARGS_MAX);
}

bool command_parse(const struct command *const *table, int argc, char *const *argv, struct command_call *ret,
                   struct problem *p)
{
	const char *words[2] = {0};
	unsigned used;
	size_t n = first_words(argc, argv, words);
	*ret = (struct command_call){ .command = find(table, words, n, &used), .out = stdout };
	if (!ret->command)
		return unknown(table, words, n, p);
	check_row(ret->command);
	return read_line(ret, used, argc, argv, p);
}

const char *command_value(const struct command_call *call, const char *option)
{
	int i = option_index(call->command->options, option);
	assert(i >= 0);
	return call->values[i];
}

/* --- help */

static void print_option(const struct command_option *option, FILE *out)
{
	char left[40];
	snprintf(left, sizeof left, "%s%s%s", option->name, option->value ? " " : "", option->value ?: "");
	fprintf(out, "  %-24s %s\n", left, option->meaning);
}

void command_print_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: enrolld %s [OPTION...]%s%s\n\n%s.\n", command->name, *command->args ? " " : "",
	        command->args,
	        command->summary);
	if (command->details)
		fprintf(out, "%s\n", command->details);
	fprintf(out, "\noptions:\n");
	for (size_t i = 0; command->options && command->options[i].name; i++)
		print_option(&command->options[i], out);
	for (int i = 0; general_options[i].name; i++)
		if (takes(command, i))
			print_option(&general_options[i], out);
}

static void print_row(const struct command *row, FILE *out)
{
	char left[64];
	snprintf(left, sizeof left, "%s%s%s", row->name, *row->args ? " " : "", row->args);
	fprintf(out, "  %-38s %s\n", left, row->summary);
}

void command_print_list(const struct command *const *table, FILE *out)
{
	fprintf(out, "usage: enrolld COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n");
	for (const struct command *const *row = table; *row; row++)
		print_row(*row, out);
	fprintf(out, "\n`enrolld COMMAND --help` tells the options of a command.\n");
}

/* Those of one first word, such as "cert". */
static bool print_group(const struct command *const *table, const char *word, FILE *out)
{
	bool found = false;
	for (const struct command *const *row = table; *row; row++) {
		if (!str_starts((*row)->name, word) || (*row)->name[strlen(word)] != ' ')
			continue;
		if (!found)
			fprintf(out, "usage: enrolld %s COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n", word);
		print_row(*row, out);
		found = true;
	}
	return found;
}

static bool asks_for_help(int argc, char *const *argv)
{
	for (int i = 1; i < argc && !str_equal(argv[i], "--"); i++)
		if (str_equal(argv[i], "--help") || str_equal(argv[i], "-h") || (i == 1 && str_equal(argv[i], "help")))
			return true;
	return false;
}

bool command_help(const struct command *const *table, int argc, char *const *argv, FILE *out)
{
	const char *words[2] = {0};
	unsigned used;
	if (!asks_for_help(argc, argv))
		return false;
	bool shift = str_equal(argv[1], "help");
	size_t n = first_words(argc - shift, argv + shift, words);
	const struct command *command = find(table, words, n, &used);
	if (command)
		command_print_help(command, out);
	else if (n == 0)
		command_print_list(table, out);
	else
		return print_group(table, words[0], out);
	return true;
}
