#include <stdio.h>

#include "server/config_schema.h"

enum { PATH_TEXT = 64, COLUMNS = 96 };

static const char *type_name(const struct config_key *key)
{
	static const char *const names[CONFIG_TYPE_MAX] = {
		[CONFIG_TEXT] = "text", [CONFIG_NUMBER] = "number", [CONFIG_BOOL] = "true or false",
		[CONFIG_DURATION] = "duration", [CONFIG_SECONDS] = "duration",
		[CONFIG_MILLISECONDS] = "duration",
		[CONFIG_CHOICE] = "choice", [CONFIG_FLAGS] = "list of choices",
		[CONFIG_TEXTS] = "list of texts",
		[CONFIG_NETWORKS] = "list of networks", [CONFIG_SECTION] = "mapping",
		[CONFIG_SECTIONS] = "list of mappings",
	};
	return names[key->type];
}

/* As YAML wants it: quoted unless it is a plain word. */
static void add_scalar(const char *text, struct buf *ret)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./ ";
	bool quoted = !*text || text[strspn(text, plain)] != '\0';
	buf_printf(ret, quoted ? "\"%s\"" : "%s", text);
}

static void add_list(const char *fallback, struct buf *ret)
{
	buf_add_char(ret, '[');
	for (const char *one = fallback; *one; ) {
		char entry[PATH_TEXT];
		size_t len = strcspn(one, ",");
		snprintf(entry, sizeof entry, "%.*s", (int)len, one);
		buf_add_str(ret, one == fallback ? "" : ", ");
		add_scalar(entry, ret);
		one += len;
		one += strspn(one, ", ");
	}
	buf_add_char(ret, ']');
}

static void add_fallback(const struct config_key *key, struct buf *ret)
{
	if (config_type_is_list(key->type))
		add_list(key->fallback ?: "", ret);
	else if (key->fallback)
		add_scalar(key->fallback, ret);
}

/* --- docs/configuration.md */

static void add_default_cell(const struct config_key *key, struct buf *ret)
{
	if (key->required)
		buf_add_str(ret, "required");
	else if (key->shown)
		buf_add_str(ret, key->shown);
	else if (key->type == CONFIG_SECTIONS)
		buf_add_str(ret, *key->fallback ? "see below" : "none");
	else if (key->fallback || config_type_is_list(key->type)) {
		buf_add_char(ret, '`');
		add_fallback(key, ret);
		buf_add_char(ret, '`');
	} else if (key->type != CONFIG_SECTION)
		buf_add_str(ret, "none");
}

static void add_row(const struct config_key *key, bool reload, struct buf *ret)
{
	buf_printf(ret, "| `%s` | %s | ", key->name, type_name(key));
	add_default_cell(key, ret);
	buf_add_str(ret, " | ");
	if (key->type != CONFIG_SECTION)
		config_key_expects(key, ret);
	buf_printf(ret, " | %s | %s |\n", key->type == CONFIG_SECTION ? "" : reload ? "yes" : "",
	           key->meaning);
}

static void add_reference(const struct config_section *section, const char *path, bool reload,
                          struct buf *ret);

static void add_subsection(const struct config_key *key, const char *path, bool reload, struct buf *ret)
{
	char below[PATH_TEXT];
	bool list = key->type == CONFIG_SECTIONS;
	snprintf(below, sizeof below, "%s%s%s%s", path, *path ? "." : "", key->name, list ? "[]" : "");
	buf_printf(ret, "\n## `%s`\n\n%s\n", below, key->meaning);
	if (list && *key->fallback)
		buf_printf(ret, "\nThe default:\n\n```yaml\n%s:\n%s```\n", key->name, key->fallback);
	add_reference(key->section, below, reload || key->reload, ret);
}

static void add_reference(const struct config_section *section, const char *path, bool reload,
                          struct buf *ret)
{
	buf_add_str(ret, "\n| key | type | default | takes | reload | meaning |\n"
	            "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < section->key_count; i++)
		add_row(&section->keys[i], reload || section->keys[i].reload, ret);
	for (size_t i = 0; i < section->key_count; i++)
		if (section->keys[i].section)
			add_subsection(&section->keys[i], path, reload, ret);
}

static const char introduction[] =
	"# Configuration\n\n"
	"This page is printed by `enrolld check-config --print-reference` from the table that the server "
	"itself\n"
	"reads its configuration by.\n\n"
	"One YAML file: the one that `--config FILE` names, or `" CONFIG_PATH "` where there is one.\n"
	"Every key is optional, and so is the file. A key that does not exist, a value of the wrong type or "
	"out of\n"
	"range, and a file that cannot be read are errors that name file, line, column, key, what was "
	"expected and\n"
	"what was found; the server does not start then. `enrolld check-config FILE` says whether a file is "
	"good.\n\n"
	"Durations are numbers with a unit: `90s`, `15m`, `12h`, `30d`, `2w`, `1y` (365 days), and where "
	"they are\n"
	"short also `250ms`. Relative paths count from the folder that the server is started in.\n\n"
	"SIGHUP makes a running server read the file again. Keys marked *reload* are taken up then, the "
	"content of\n"
	"the files they name too; the others wait for the next start, and the log names those that changed. "
	"A file with\n"
	"an error is refused and logged, and the server runs on with what it has, the CA's files included.\n\n"
	"## The top level\n";

void config_print_reference(struct buf *ret)
{
	buf_add_str(ret, introduction);
	add_reference(&config_schema, "", false, ret);
}

/* --- deploy/enrolld.yaml: every key as a comment that can be made live, its default as value */

struct example {
	struct buf *out;
	const char *lead;        /* begins each line: the keys of a list's entry are a comment as a whole */
	const char *mark;        /* stands before a key that has its default */
	int depth;
};

static void begin_line(const struct example *e, const char *mark)
{
	buf_printf(e->out, "%s%*s%s", e->lead, 2 * e->depth, "", mark);
}

static void add_comment(const struct example *e, const char *text)
{
	size_t width = COLUMNS - 2 * (size_t)e->depth;
	while (*text) {
		size_t len = strlen(text);
		for (size_t end = width; len > width; end--)
			if (text[end] == ' ')
				len = end;
		begin_line(e, "# ");
		buf_printf(e->out, "%.*s\n", (int)len, text);
		text += len;
		text += *text == ' ';
	}
}

static void add_example(struct example e, const struct config_section *section);

static void add_example_list(const struct example *e, const struct config_key *key)
{
	char lead[16];

	snprintf(lead, sizeof(lead), "%*s#   ", 2 * e->depth, "");
	begin_line(e, "#");
	buf_printf(e->out, "%s:%s\n", key->name, *key->fallback ? "" : " []");
	for (const char *line = key->fallback; *line; line = strchr(line, '\n') + 1) {
		begin_line(e, "#");
		buf_printf(e->out, "%.*s", (int)(strchr(line, '\n') + 1 - line), line);
	}
	begin_line(e, "# All keys of an entry:\n");
	add_example((struct example){ .out = e->out, .lead = lead, .mark = "" }, key->section);
}

static void add_example_value(const struct example *e, const struct config_key *key)
{
	begin_line(e, e->mark);
	buf_printf(e->out, "%s:", key->name);
	if (key->fallback || (config_type_is_list(key->type) && !key->shown)) {
		buf_add_char(e->out, ' ');
		add_fallback(key, e->out);
	}
	buf_add_char(e->out, '\n');
}

static void add_example_section(struct example e, const struct config_key *key)
{
	begin_line(&e, "");
	buf_printf(e.out, "%s:\n", key->name);
	e.depth++;
	add_example(e, key->section);
}

static void add_example(struct example e, const struct config_section *section)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		if (e.depth == 0 && !*e.lead)
			buf_add_char(e.out, '\n');
		add_comment(&e, key->meaning);
		if (key->type == CONFIG_SECTION)
			add_example_section(e, key);
		else if (key->type == CONFIG_SECTIONS)
			add_example_list(&e, key);
		else
			add_example_value(&e, key);
	}
}

void config_print_example(struct buf *ret)
{
	buf_add_str(ret, "# The configuration of enrolld. Every key is optional; behind a \"#\" stands the "
	            "default.\n"
	                 "# docs/configuration.md has the ranges. `enrolld check-config FILE` judges a "
	                 "file.\n");
	add_example((struct example){ .out = ret, .lead = "", .mark = "#" }, &config_schema);
}
