#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "server/config_schema.h"

bool config_type_is_list(enum config_type type)
{
	return type == CONFIG_FLAGS || type == CONFIG_TEXTS || type == CONFIG_NETWORKS;
}

static void *place(const struct config_key *key, void *base)
{
	return (char *)base + key->offset;
}

/* --- what a key takes, in words */

static void add_choices(const struct config_choice *choices, struct buf *ret)
{
	const char *between = "";
	for (; choices->name; choices++) {
		if (choices->value == CONFIG_NOT_BUILT)
			continue;
		buf_printf(ret, "%s`%s`", between, choices->name);
		between = ", ";
	}
}

static void add_milliseconds(int64_t ms, struct buf *ret)
{
	static const struct { int64_t ms; const char *unit; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" },
	};
	for (size_t i = 0; i < array_length(units); i++)
		if (ms % units[i].ms == 0) {
			if (ms == 0)
				i = array_length(units) - 2;
			buf_printf(ret, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
			return;
		}
}

static void add_duration(int64_t min, int64_t max, struct buf *ret)
{
	buf_add_str(ret, "a duration from ");
	add_milliseconds(min, ret);
	buf_add_str(ret, " to ");
	add_milliseconds(max, ret);
}

/* Of a list, what one entry is. */
static void expects_one(const struct config_key *key, struct buf *ret)
{
	switch (key->type) {
	case CONFIG_NUMBER:
		buf_printf(ret, "a number from %lld to %lld", (long long)key->min, (long long)key->max);
		return;
	case CONFIG_BOOL:
		buf_add_str(ret, "`true` or `false`");
		return;
	case CONFIG_DURATION:
	case CONFIG_SECONDS:
		add_duration(key->min * 1000, key->max * 1000, ret);
		return;
	case CONFIG_MILLISECONDS:
		add_duration(key->min, key->max, ret);
		return;
	case CONFIG_CHOICE:
	case CONFIG_FLAGS:
		buf_add_str(ret, "one of ");
		add_choices(key->choices, ret);
		return;
	case CONFIG_NETWORKS:
		buf_add_str(ret, "an address or a network such as 10.0.0.0/8");
		return;
	case CONFIG_SECTION:
	case CONFIG_SECTIONS:
		buf_add_str(ret, "a mapping");
		return;
	default:
		buf_add_str(ret, "a text");
		if (key->max > 0)
			buf_printf(ret, " of at most %lld bytes", (long long)key->max);
	}
}

void config_key_expects(const struct config_key *key, struct buf *ret)
{
	if (key->type == CONFIG_SECTIONS)
		buf_printf(ret, "a list of %lld to %lld mappings", (long long)key->min, (long long)key->max);
	else if (config_type_is_list(key->type))
		buf_add_str(ret, "a list, each entry ");
	if (key->type != CONFIG_SECTIONS)
		expects_one(key, ret);
}

static bool unexpected(const struct config_key *key, struct problem *p)
{
	auto_value(buf) text = {0};
	expects_one(key, &text);
	return problem_set(p, PROBLEM_MALFORMED, "%s", buf_text(&text));
}

/* --- one text of each type */

static bool set_text(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	if (key->max > 0 && strlen(text) > (size_t)key->max)
		return unexpected(key, p);
	char **ret = place(key, base);
	char *copy = strdup(text);
	if (!copy)
		return problem_memory(p);
	free(*ret);
	*ret = copy;
	return true;
}

static bool set_number(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < key->min || value > key->max)
		return unexpected(key, p);
	*(unsigned *)place(key, base) = (unsigned)value;
	return true;
}

static bool set_bool(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	static const struct { const char *text; bool value;
	} words[] = {
		{ "true", true }, { "false", false }, { "yes", true },
		{ "no", false },  { "on", true },     { "off", false },
	};
	for (size_t i = 0; i < array_length(words); i++)
		if (str_equal(text, words[i].text)) {
			*(bool *)place(key, base) = words[i].value;
			return true;
		}
	return unexpected(key, p);
}

static bool set_seconds(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	int64_t value;
	if (!clock_parse_duration(text, &value) || value < key->min || value > key->max)
		return unexpected(key, p);
	if (key->type == CONFIG_SECONDS)
		*(unsigned *)place(key, base) = (unsigned)value;
	else
		*(int64_t *)place(key, base) = value;
	return true;
}

static bool parse_milliseconds(const char *text, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	if (digits >= 1 && digits <= 9 && str_equal(text + digits, "ms")) {
		*ret = strtoll(text, NULL, 10);
		return true;
	}
	if (!clock_parse_duration(text, ret))
		return false;
	*ret *= 1000;
	return true;
}

static bool set_milliseconds(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	int64_t value;
	if (!parse_milliseconds(text, &value) || value < key->min || value > key->max)
		return unexpected(key, p);
	*(unsigned *)place(key, base) = (unsigned)value;
	return true;
}

static bool not_built(const struct config_key *key, const char *name, struct problem *p)
{
	auto_value(buf) text = {0};
	expects_one(key, &text);
	return problem_set(p, PROBLEM_MALFORMED, "%s (`%s` is not in this version)", buf_text(&text), name);
}

static bool set_choice(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	for (const struct config_choice *choice = key->choices; choice->name; choice++) {
		if (!str_equal(choice->name, text))
			continue;
		if (choice->value == CONFIG_NOT_BUILT)
			return not_built(key, text, p);
		if (key->type == CONFIG_FLAGS)
			*(unsigned *)place(key, base) |= (unsigned)choice->value;
		else
			*(int *)place(key, base) = choice->value;
		return true;
	}
	return unexpected(key, p);
}

static bool add_text(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	return strings_add(place(key, base), text) ? true : problem_memory(p);
}

static bool add_network(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	auto_value(problem) why = {0};
	return addr_list_add(place(key, base), text, &why) ? true : unexpected(key, p);
}

typedef bool setter(const struct config_key *key, void *base, const char *text, struct problem *p);
static setter *const setters[CONFIG_TYPE_MAX] = {
	[CONFIG_TEXT] = set_text,        [CONFIG_NUMBER] = set_number,   [CONFIG_BOOL] = set_bool,
	[CONFIG_DURATION] = set_seconds, [CONFIG_SECONDS] = set_seconds, [CONFIG_MILLISECONDS] = set_milliseconds,
	[CONFIG_CHOICE] = set_choice,    [CONFIG_FLAGS] = set_choice,    [CONFIG_TEXTS] = add_text,
	[CONFIG_NETWORKS] = add_network,
};

bool config_value_set(const struct config_key *key, void *base, const char *text, struct problem *p)
{
	assert(setters[key->type]);
	if (key->check && !key->check(text, p))
		return false;
	return setters[key->type](key, base, text, p);
}

bool config_value_default(const struct config_key *key, void *base, struct problem *p)
{
	if (!key->fallback)
		return true;
	if (!config_type_is_list(key->type))
		return config_value_set(key, base, key->fallback, p);
	auto_free char *copy = strdup(key->fallback);
	if (!copy)
		return problem_memory(p);
	char *save = NULL;
	for (char *one = strtok_r(copy, ", ", &save); one; one = strtok_r(NULL, ", ", &save))
		if (!config_value_set(key, base, one, p))
			return false;
	return true;
}

/* --- freeing */

static void clear_sections(const struct config_key *key, void *base)
{
	char *elements = *(char **)place(key, base);
	size_t *count = (size_t *)(void *)((char *)base + key->count_offset);
	for (size_t i = 0; elements && i < *count; i++)
		config_section_clear(key->section, elements + i * key->section->size);
	free(elements);
	*(char **)place(key, base) = NULL;
	*count = 0;
}

static void clear_value(const struct config_key *key, void *base)
{
	switch (key->type) {
	case CONFIG_TEXT:
		free(*(char **)place(key, base));
		*(char **)place(key, base) = NULL;
		return;
	case CONFIG_TEXTS:
		strings_free(place(key, base));
		return;
	case CONFIG_NETWORKS:
		addr_list_free(place(key, base));
		return;
	case CONFIG_SECTION:
		config_section_clear(key->section, base);
		return;
	case CONFIG_SECTIONS:
		clear_sections(key, base);
		return;
	default:
		return;
	}
}

void config_section_clear(const struct config_section *section, void *base)
{
	for (size_t i = 0; i < section->key_count; i++)
		clear_value(&section->keys[i], base);
}
