#include "server/config_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

enum { NODES_MAX = 100000, KEYS_MAX = 256, KEY_MAX = 64, GOT_MAX = 48 };

struct config_text {
	char *name;
	yaml_document_t document;
	bool loaded;
};

void config_text_free(struct config_text *text)
{
	if (!text)
		return;
	if (text->loaded)
		yaml_document_delete(&text->document);
	free(text->name);
	free(text);
}

static bool refuse_at(const struct config_text *text, yaml_mark_t mark, struct problem *p, const char *what)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s:%zu:%zu: %s", text->name, mark.line + 1, mark.column + 1,
	                   what);
}

static yaml_node_t *node_at(const struct config_text *text, int index)
{
	return &text->document.nodes.start[index - 1];
}

static size_t node_total(const struct config_text *text)
{
	return (size_t)(text->document.nodes.top - text->document.nodes.start);
}

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool check_scalar(const struct config_text *text, const yaml_node_t *node, struct problem *p)
{
	if (memchr(scalar(node), 0, node->data.scalar.length))
		return refuse_at(text, node->start_mark, p, "a NUL stands in the text");
	return true;
}

/* A node that is pointed to twice has an alias, which our configuration has no use for. */
static bool count_reference(const struct config_text *text, uint8_t *seen, int index, struct problem *p)
{
	if (seen[index - 1]++)
		return refuse_at(text, node_at(text, index)->start_mark, p,
		                 "aliases are not used here; write the value again");
	return true;
}

static bool check_key(const struct config_text *text, const yaml_node_t *mapping,
                      const yaml_node_pair_t *pair, struct problem *p)
{
	const yaml_node_t *key = node_at(text, pair->key);
	if (key->type != YAML_SCALAR_NODE || key->data.scalar.length > KEY_MAX)
		return refuse_at(text, key->start_mark, p, "expected the name of a key");
	for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair; other++)
		if (str_equal(scalar(node_at(text, other->key)), scalar(key))) {
			char what[KEY_MAX + 32];
			snprintf(what, sizeof what, "key `%s` stands here twice", scalar(key));
			return refuse_at(text, key->start_mark, p, what);
		}
	return true;
}

static bool check_node(const struct config_text *text, const yaml_node_t *node, uint8_t *seen,
                       struct problem *p)
{
	if (node->type == YAML_SCALAR_NODE)
		return check_scalar(text, node, p);
	if (node->type == YAML_SEQUENCE_NODE) {
		for (const yaml_node_item_t *item = node->data.sequence.items.start;
		     item < node->data.sequence.items.top; item++)
			if (!count_reference(text, seen, *item, p))
				return false;
		return true;
	}
	if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > KEYS_MAX)
		return refuse_at(text, node->start_mark, p,
		                 "more keys than any mapping of a configuration has");
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		if (!check_key(text, node, pair, p) || !count_reference(text, seen, pair->key, p) ||
		    !count_reference(text, seen, pair->value, p))
			return false;
	return true;
}

static bool check_document(const struct config_text *text, struct problem *p)
{
	size_t total = node_total(text);
	if (total > NODES_MAX)
		return refuse_at(text, node_at(text, NODES_MAX)->start_mark, p,
		                 "more values than a configuration can have");
	auto_free uint8_t *seen = calloc(total + 1, 1);
	if (!seen)
		return problem_memory(p);
	for (size_t i = 1; i <= total; i++)
		if (!check_node(text, node_at(text, (int)i), seen, p))
			return false;
	return true;
}

static bool load(struct config_text *text, yaml_parser_t *parser, struct problem *p)
{
	if (!yaml_parser_load(parser, &text->document)) {
		char what[200];
		bool tab = parser->buffer.pointer < parser->buffer.last && *parser->buffer.pointer == '\t';
		snprintf(what, sizeof what, "not YAML: %s%s", parser->problem ?: "cannot be read",
		         tab ? ": a tab, where YAML takes spaces alone" : "");
		return refuse_at(text, parser->problem_mark, p, what);
	}
	text->loaded = true;
	yaml_document_t second;
	if (!yaml_document_get_root_node(&text->document))
		return true;
	if (!yaml_parser_load(parser, &second))
		return refuse_at(text, parser->problem_mark, p,
		                 "not YAML after the end of the first document");
	const yaml_node_t *more = yaml_document_get_root_node(&second);
	yaml_mark_t mark = more ? more->start_mark : (yaml_mark_t){0};
	yaml_document_delete(&second);
	return more ? refuse_at(text, mark, p, "a second document; one is expected") : true;
}

bool config_text_parse(const char *name, struct bytes in, struct config_text **ret, struct problem *p)
{
	auto_struct(config_text) *text = calloc(1, sizeof *text);
	if (!text || !(text->name = strdup(name)))
		return problem_memory(p);
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return problem_memory(p);
	yaml_parser_set_input_string(&parser, in.data ? in.data : (const uint8_t *)"", in.len);
	bool ok = load(text, &parser, p);
	yaml_parser_delete(&parser);
	if (!ok || !check_document(text, p))
		return false;
	*ret = steal(text);
	return true;
}

static const yaml_node_pair_t *member(const struct config_text *text, const yaml_node_t *node,
                                      const char *name, size_t len)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_at(text, pair->key);
		if (key->data.scalar.length == len && memcmp(scalar(key), name, len) == 0)
			return pair;
	}
	return NULL;
}

static const yaml_node_t *entry(const struct config_text *text, const yaml_node_t *node, size_t i)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	const yaml_node_item_t *item = node->data.sequence.items.start + i;
	return item < node->data.sequence.items.top ? node_at(text, *item) : NULL;
}

struct spot {
	const yaml_node_t *node; /* what stands at the path; NULL: nothing */
	yaml_mark_t mark;        /* its key's place, or the nearest enclosing one's */
};

static void step_into_member(const struct config_text *text, struct spot *spot, const char *name, size_t len)
{
	const yaml_node_pair_t *pair = member(text, spot->node, name, len);
	spot->node = pair ? node_at(text, pair->value) : NULL;
	if (pair)
		spot->mark = node_at(text, pair->key)->start_mark;
}

static void step_into_entry(const struct config_text *text, struct spot *spot, size_t i)
{
	spot->node = entry(text, spot->node, i);
	if (spot->node)
		spot->mark = spot->node->start_mark;
}

static struct spot find(const struct config_text *text, const char *path)
{
	struct spot spot = { .node = node_total(text) ? node_at(text, 1) : NULL };
	if (spot.node)
		spot.mark = spot.node->start_mark;
	while (spot.node && *path) {
		size_t len = strcspn(path, ".[");
		if (*path == '[') {
			len = strcspn(path, "]") + 1;
			step_into_entry(text, &spot, strtoul(path + 1, NULL, 10));
		} else {
			step_into_member(text, &spot, path, len);
		}
		path += len;
		if (*path == '.')
			path++;
	}
	return spot;
}

enum config_node config_text_at(const struct config_text *text, const char *path)
{
	const yaml_node_t *node = find(text, path).node;
	if (!node)
		return CONFIG_NODE_NONE;
	return node->type == YAML_SCALAR_NODE ? CONFIG_NODE_SCALAR :
	       node->type == YAML_SEQUENCE_NODE ? CONFIG_NODE_LIST : CONFIG_NODE_MAPPING;
}

bool config_text_is_null(const struct config_text *text, const char *path)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	const yaml_node_t *node = find(text, path).node;
	if (!node || node->type != YAML_SCALAR_NODE)
		return !node;
	for (size_t i = 0; i < array_length(nulls); i++)
		if (str_equal(scalar(node), nulls[i]))
			return true;
	return false;
}

const char *config_text_key(const struct config_text *text, const char *path, size_t i)
{
	const yaml_node_t *node = find(text, path).node;
	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start + i;
	return pair < node->data.mapping.pairs.top ? scalar(node_at(text, pair->key)) : NULL;
}

size_t config_text_count(const struct config_text *text, const char *path)
{
	const yaml_node_t *node = find(text, path).node;
	if (!node || node->type != YAML_SEQUENCE_NODE)
		return 0;
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

bool config_text_fault(const struct config_text *text, const char *path, struct problem *p,
                       const char *fmt, ...)
{
	yaml_mark_t mark = find(text, path).mark;
	char what[PROBLEM_DETAIL_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	if (!*path)
		return refuse_at(text, mark, p, what);
	return problem_set(p, PROBLEM_MALFORMED, "%s:%zu:%zu: key `%s`: %s", text->name, mark.line + 1,
	                   mark.column + 1, path, what);
}

bool config_text_refuse(const struct config_text *text, const char *path, const char *expected,
                        struct problem *p)
{
	const yaml_node_t *node = find(text, path).node;
	if (!node)
		return config_text_fault(text, path, p, "expected %s, got nothing", expected);
	if (node->type != YAML_SCALAR_NODE)
		return config_text_fault(text, path, p, "expected %s, got a %s", expected,
		                         node->type == YAML_SEQUENCE_NODE ? "list" : "mapping");
	if (node->data.scalar.length == 0)
		return config_text_fault(text, path, p, "expected %s, got nothing", expected);
	return config_text_fault(text, path, p, "expected %s, got `%.*s`%s", expected, GOT_MAX, scalar(node),
	                         node->data.scalar.length > GOT_MAX ? "..." : "");
}
