#include "server/config_change.h"

#include "server/config_schema.h"

static const void *at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? str_equal(a, b) : a == b;
}

static bool same_texts(const struct strings *a, const struct strings *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = str_equal(a->v[i], b->v[i]);
	return same;
}

static bool same_networks(const struct addr_list *a, const struct addr_list *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

static bool same_section(const struct config_section *section, const void *a, const void *b);

static bool same_sections(const struct config_key *key, const void *a, const void *b)
{
	size_t n = *(const size_t *)at(a, key->count_offset);
	const char *rows = *(const char *const *)at(a, key->offset), *others = *(const char *const *)at(b, key->offset);
	bool same = n == *(const size_t *)at(b, key->count_offset);

	for (size_t i = 0; same && i < n; i++)
		same = same_section(key->section, rows + i * key->section->size, others + i * key->section->size);
	return same;
}

static bool same_value(const struct config_key *key, const void *a, const void *b)
{
	const void *x = at(a, key->offset), *y = at(b, key->offset);

	switch (key->type) {
	case CONFIG_TEXT: return same_text(*(const char *const *)x, *(const char *const *)y);
	case CONFIG_BOOL: return *(const bool *)x == *(const bool *)y;
	case CONFIG_DURATION: return *(const int64_t *)x == *(const int64_t *)y;
	case CONFIG_TEXTS: return same_texts(x, y);
	case CONFIG_NETWORKS: return same_networks(x, y);
	case CONFIG_SECTION: return same_section(key->section, a, b);
	case CONFIG_SECTIONS: return same_sections(key, a, b);
	default: return *(const unsigned *)x == *(const unsigned *)y;
	}
}

static bool same_section(const struct config_section *section, const void *a, const void *b)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!same_value(&section->keys[i], a, b))
			return false;
	return true;
}

static void add(const struct config_section *section, const char *above, const void *a, const void *b, struct buf *ret)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		if (key->reload || same_value(key, a, b))
			continue;
		if (key->type != CONFIG_SECTION) {
			buf_printf(ret, "%s%s%s", ret->len > 0 ? ", " : "", above, key->name);
			continue;
		}
		auto_free char *path = mem_printf("%s%s.", above, key->name);
		if (path)
			add(key->section, path, a, b, ret);
	}
}

void config_restart_keys(const struct config *running, const struct config *next, struct buf *ret)
{
	add(&config_schema, "", running, next, ret);
}
