/* Config text: the YAML file as a tree that knows lines and columns, to say where a fault is. This
 * file owns libyaml. Internal to server/config*.c. One thread. */
#pragma once

#include "base/bytes.h"

struct config_text;
/* One document of scalars, lists and mappings with plain keys; aliases, double keys and NULs are
 * refused, with "name:line:column: ..." as text. */
bool config_text_parse(const char *name, struct bytes text, struct config_text **ret,
                       struct problem *p) must_use;
void config_text_free(struct config_text *text);
declare_auto_struct(config_text, config_text_free);

/* What stands at a path such as "listeners[1].port"; "" is the whole. */
enum config_node { CONFIG_NODE_NONE, CONFIG_NODE_SCALAR, CONFIG_NODE_LIST, CONFIG_NODE_MAPPING };
enum config_node config_text_at(const struct config_text *text, const char *path);
/* Whether nothing stands there, or what YAML calls null. */
bool config_text_is_null(const struct config_text *text, const char *path);
/* The i-th key of the mapping at a path; NULL past the end. Borrowed. */
const char *config_text_key(const struct config_text *text, const char *path, size_t i);
size_t config_text_count(const struct config_text *text, const char *path); /* entries of a list */
/* Sets "name:line:column: key `path`: expected ..., got ...", where line and column are those of the
 * key, or of what encloses it when it is not there. Returns false. */
bool config_text_refuse(const struct config_text *text, const char *path, const char *expected,
                        struct problem *p);
/* The same position with words of one's own in place of "expected ..., got ...". */
bool config_text_fault(const struct config_text *text, const char *path, struct problem *p,
                       const char *fmt, ...) printf_like(4, 5);
