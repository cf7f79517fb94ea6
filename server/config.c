#include "server/config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "server/config_check.h"
#include "server/config_schema.h"
#include "server/config_text.h"

enum { FILE_MAX = 1024 * 1024, PATH_MAX_TEXT = 200 };

/* --- the shape that libcyaml loads: a section is a row of slots, one for each of its keys; a value
 * is its text, a list an array of texts, a list of sections an array of rows. */

struct slot {
	void *p;         /* NULL: the key is not there, or null */
	unsigned count;
};

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)
};
#define OPTIONAL ((enum cyaml_flag)(CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL_STR))

static void fields_free(const struct config_section *section, cyaml_schema_field_t *fields);

static void *unconst(const void *p)
{
	return (void *)(uintptr_t)p;
}

static void field_done(const struct config_key *key, cyaml_schema_field_t *field)
{
	if (key->type == CONFIG_SECTION)
		fields_free(key->section, unconst(field->value.mapping.fields));
	if (key->type == CONFIG_SECTIONS && field->value.sequence.entry) {
		fields_free(key->section, unconst(field->value.sequence.entry->mapping.fields));
		free(unconst(field->value.sequence.entry));
	}
}

static void fields_free(const struct config_section *section, cyaml_schema_field_t *fields)
{
	for (size_t i = 0; fields && i < section->key_count; i++)
		field_done(&section->keys[i], &fields[i]);
	free(fields);
}

static bool mapping_value(const struct config_section *section, enum cyaml_flag flags,
                          cyaml_schema_value_t *ret);

static bool sections_value(const struct config_key *key, cyaml_schema_value_t *ret)
{
	cyaml_schema_value_t *entry = calloc(1, sizeof *entry);
	*ret = (cyaml_schema_value_t){
		.type = CYAML_SEQUENCE, .flags = OPTIONAL, .sequence = { .entry = entry, .max = CYAML_UNLIMITED },
		.data_size = (uint32_t)(key->section->key_count * sizeof(struct slot)),
	};
	return entry && mapping_value(key->section, CYAML_FLAG_DEFAULT, entry);
}

static bool field_value(const struct config_key *key, cyaml_schema_value_t *ret)
{
	if (key->type == CONFIG_SECTION)
		return mapping_value(key->section, OPTIONAL, ret);
	if (key->type == CONFIG_SECTIONS)
		return sections_value(key, ret);
	static const cyaml_schema_value_t list = {
		CYAML_VALUE_SEQUENCE(OPTIONAL, char *, &text_entry, 0, CYAML_UNLIMITED)
	};
	static const cyaml_schema_value_t text = { CYAML_VALUE_STRING(OPTIONAL, char *, 0, CYAML_UNLIMITED) };
	*ret = config_type_is_list(key->type) ? list : text;
	return true;
}

/* false: memory is out; what was made hangs on ret nevertheless. */
static bool mapping_value(const struct config_section *section, enum cyaml_flag flags,
                          cyaml_schema_value_t *ret)
{
	cyaml_schema_field_t *fields = calloc(section->key_count + 1, sizeof *fields);
	*ret = (cyaml_schema_value_t){ .type = CYAML_MAPPING, .flags = flags, .mapping.fields = fields };
	ret->data_size = (uint32_t)(section->key_count * sizeof(struct slot));
	bool ok = fields != NULL;
	for (size_t i = 0; ok && i < section->key_count; i++) {
		fields[i].key = section->keys[i].name;
		fields[i].data_offset = (uint32_t)(i * sizeof(struct slot) + offsetof(struct slot, p));
		fields[i].count_offset = (uint32_t)(i * sizeof(struct slot) + offsetof(struct slot, count));
		fields[i].count_size = sizeof(unsigned);
		ok = field_value(&section->keys[i], &fields[i].value);
	}
	return ok;
}

/* --- a file loaded, not yet understood */

struct source {
	struct config_text *text;
	cyaml_schema_value_t schema;
	struct slot *slots;            /* of config_schema's keys; NULL: an empty file */
	char path[PATH_MAX_TEXT];      /* where the reader is */
};
static const cyaml_config_t cyaml_config = { .mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS };

static void source_done(struct source *source)
{
	if (source->slots)
		cyaml_free(&cyaml_config, &source->schema, source->slots, 0);
	fields_free(&config_schema, unconst(source->schema.mapping.fields));
	config_text_free(source->text);
}
declare_auto_value(source, source_done);

static size_t path_enter(struct source *source, const char *key)
{
	size_t len = strlen(source->path);
	snprintf(source->path + len, sizeof source->path - len, "%s%s", len ? "." : "", key);
	return len;
}

static size_t path_enter_entry(struct source *source, size_t i)
{
	size_t len = strlen(source->path);
	snprintf(source->path + len, sizeof source->path - len, "[%zu]", i);
	return len;
}

static void path_leave(struct source *source, size_t len)
{
	source->path[len] = '\0';
}

static bool unexpected(struct source *source, const struct config_key *key, struct problem *p)
{
	auto_value(buf) expects = {0};
	config_key_expects(key, &expects);
	return config_text_refuse(source->text, source->path, buf_text(&expects), p);
}

/* --- why libcyaml refused: the first thing that does not have its row's shape */

static bool explain_section(struct source *source, const struct config_section *section, struct problem *p);

static const struct config_key *key_find(const struct config_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (str_equal(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

static bool explain_unknown(struct source *source, const struct config_section *section, struct problem *p)
{
	auto_value(buf) known = {0};
	for (size_t i = 0; i < section->key_count; i++)
		buf_printf(&known, "%s`%s`", i ? ", " : "", section->keys[i].name);
	return config_text_fault(source->text, source->path, p, "unknown key, expected one of %s",
	                         buf_text(&known));
}

static const char *entry_words(enum config_node want)
{
	return want == CONFIG_NODE_MAPPING ? "a mapping" : "a text";
}

static bool explain_entries(struct source *source, const struct config_key *key, struct problem *p)
{
	size_t count = config_text_count(source->text, source->path);
	enum config_node want = key->type == CONFIG_SECTIONS ? CONFIG_NODE_MAPPING : CONFIG_NODE_SCALAR;
	bool ok = true;
	for (size_t i = 0; ok && i < count; i++) {
		size_t len = path_enter_entry(source, i);
		if (config_text_at(source->text, source->path) != want)
			ok = config_text_refuse(source->text, source->path, entry_words(want), p);
		else if (want == CONFIG_NODE_MAPPING)
			ok = explain_section(source, key->section, p);
		path_leave(source, len);
	}
	return ok;
}

static bool is_list(const struct config_key *key)
{
	return config_type_is_list(key->type) || key->type == CONFIG_SECTIONS;
}

static bool explain_value(struct source *source, const struct config_key *key, struct problem *p)
{
	enum config_node node = config_text_at(source->text, source->path);
	bool list = is_list(key);
	enum config_node want = list ? CONFIG_NODE_LIST : CONFIG_NODE_SCALAR;
	if (key->type == CONFIG_SECTION)
		want = CONFIG_NODE_MAPPING;
	if (node != want && !config_text_is_null(source->text, source->path))
		return unexpected(source, key, p);
	if (list)
		return explain_entries(source, key, p);
	return node == CONFIG_NODE_MAPPING ? explain_section(source, key->section, p) : true;
}

static bool explain_section(struct source *source, const struct config_section *section, struct problem *p)
{
	bool ok = true;
	const char *name;
	for (size_t i = 0; ok && (name = config_text_key(source->text, source->path, i)); i++) {
		const struct config_key *key = key_find(section, name);
		size_t len = path_enter(source, name);
		ok = key ? explain_value(source, key, p) : explain_unknown(source, section, p);
		path_leave(source, len);
	}
	return ok;
}

static bool explain(struct source *source, cyaml_err_t error, struct problem *p)
{
	if (error == CYAML_ERR_OOM)
		return problem_memory(p);
	enum config_node node = config_text_at(source->text, "");
	if (node != CONFIG_NODE_MAPPING && node != CONFIG_NODE_NONE)
		return config_text_refuse(source->text, "", "a mapping of keys", p);
	if (!explain_section(source, &config_schema, p))
		return false;
	return config_text_fault(source->text, "", p, "%s", cyaml_strerror(error));
}

static bool source_load(struct source *source, const char *name, struct bytes text, struct problem *p)
{
	if (!config_text_parse(name, text, &source->text, p))
		return false;
	if (!mapping_value(&config_schema, CYAML_FLAG_POINTER, &source->schema))
		return problem_memory(p);
	if (config_text_is_null(source->text, ""))
		return true;
	cyaml_err_t error = cyaml_load_data(text.data, text.len, &cyaml_config, &source->schema,
	                                    (void **)&source->slots, NULL);
	return error == CYAML_OK ? true : explain(source, error, p);
}

/* --- from slots to values */

static bool fill_section(struct source *source, const struct config_section *section,
                         const struct slot *slots, void *base, struct problem *p);

static bool set_value(struct source *source, const struct config_key *key, void *base, const char *text,
                      struct problem *p)
{
	auto_value(problem) why = {0};
	if (config_value_set(key, base, text, &why))
		return true;
	if (why.kind != PROBLEM_MALFORMED)
		return problem_memory(p);
	return config_text_refuse(source->text, source->path, why.detail, p);
}

static bool fill_list(struct source *source, const struct config_key *key, const struct slot *slot,
                      void *base, struct problem *p)
{
	char **texts = slot->p;
	bool ok = true;
	for (size_t i = 0; ok && i < slot->count; i++) {
		size_t len = path_enter_entry(source, i);
		ok = set_value(source, key, base, texts[i], p);
		path_leave(source, len);
	}
	return ok;
}

static bool fill_sections(struct source *source, const struct config_key *key, const struct slot *slot,
                          void *base, struct problem *p)
{
	if (slot->count < key->min || slot->count > key->max)
		return unexpected(source, key, p);
	char *elements = calloc(slot->count, key->section->size);
	if (!elements)
		return problem_memory(p);
	*(char **)(void *)((char *)base + key->offset) = elements;
	*(size_t *)(void *)((char *)base + key->count_offset) = slot->count;
	const struct slot *rows = slot->p;
	bool ok = true;
	for (size_t i = 0; ok && i < slot->count; i++) {
		size_t len = path_enter_entry(source, i);
		ok = fill_section(source, key->section, rows + i * key->section->key_count,
		                  elements + i * key->section->size, p);
		path_leave(source, len);
	}
	return ok;
}

/* The list that stands for a missing one is YAML itself. */
static bool default_sections(const struct config_key *key, void *base, struct problem *p)
{
	auto_value(buf) text = {0};
	buf_printf(&text, "%s:\n%s", key->name, key->fallback);
	auto_value(source) source = {0};
	if (!buf_check(&text, p) || !source_load(&source, "built-in", buf_bytes(&text), p))
		return false;
	path_enter(&source, key->name);
	return fill_sections(&source, key, &source.slots[key - config_schema.keys], base, p);
}

static bool fill_missing(struct source *source, const struct config_key *key, void *base, struct problem *p)
{
	if (key->required)
		return unexpected(source, key, p);
	if (key->type == CONFIG_SECTIONS)
		return !*key->fallback || default_sections(key, base, p);
	return config_value_default(key, base, p);
}

static bool fill_value(struct source *source, const struct config_key *key, const struct slot *slot,
                       void *base, struct problem *p)
{
	bool list = is_list(key);
	if (key->type == CONFIG_SECTION)
		return fill_section(source, key->section, slot->p, base, p);
	if (!slot->p && !(list && config_text_at(source->text, source->path) == CONFIG_NODE_LIST))
		return fill_missing(source, key, base, p);
	if (key->type == CONFIG_SECTIONS)
		return fill_sections(source, key, slot, base, p);
	return list ? fill_list(source, key, slot, base, p) : set_value(source, key, base, slot->p, p);
}

/* slots is NULL where the section is not there at all. */
static bool fill_section(struct source *source, const struct config_section *section,
                         const struct slot *slots, void *base, struct problem *p)
{
	static const struct slot none;
	bool ok = true;
	for (size_t i = 0; ok && i < section->key_count; i++) {
		size_t len = path_enter(source, section->keys[i].name);
		ok = fill_value(source, &section->keys[i], slots ? &slots[i] : &none, base, p);
		path_leave(source, len);
	}
	return ok;
}

bool config_parse(const char *name, struct bytes text, struct config **ret, struct problem *p)
{
	auto_value(source) source = {0};
	if (!source_load(&source, name, text, p))
		return false;
	auto_struct(config) *config = calloc(1, sizeof *config);
	if (!config)
		return problem_memory(p);
	if (!fill_section(&source, &config_schema, source.slots, config, p) ||
	    !config_check(config, source.text, p))
		return false;
	*ret = steal(config);
	return true;
}

bool config_load(const char *path, struct config **ret, struct problem *p)
{
	if (!path && access(CONFIG_PATH, F_OK) != 0 && errno == ENOENT)
		return config_parse("built-in", BYTES("", 0), ret, p);
	if (!path)
		path = CONFIG_PATH;
	auto_value(buf) text = {0};
	auto_value(problem) why = {0};
	if (!file_read(path, FILE_MAX, &text, &why))
		return problem_set(p, PROBLEM_NOT_FOUND, "expected a readable configuration file: %s",
		                   why.kind == PROBLEM_INTERNAL ? why.cause : why.detail);
	auto_struct(config) *config = NULL;
	if (!config_parse(path, buf_bytes(&text), &config, p))
		return false;
	digest_sha256(buf_bytes(&text), config->digest);
	if (!(config->path = strdup(path)))
		return problem_memory(p);
	*ret = steal(config);
	return true;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	config_section_clear(&config_schema, config);
	free(config->path);
	free(config);
}
