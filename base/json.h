/* JSON: a bounded reader over cJSON (this file owns the dependency) and a writer into a buffer.
 *
 * The reader refuses, before cJSON sees the text: more than JSON_DEPTH_MAX levels, more than
 * JSON_NODES_MAX values, bytes after the value, invalid UTF-8, unpaired surrogates, escaped NULs,
 * and anything RFC 8259's grammar does not know; and after it, a name that stands twice in one
 * object. A document is owned by its root (`struct json`), read from one thread at a time;
 * `const struct json *` members are borrowed from it. */
#pragma once

#include "base/bytes.h"

struct json;

enum { JSON_DEPTH_MAX = 16, JSON_NODES_MAX = 10000 };

/* Parses one whole document. Refusals are MALFORMED and say what, at which byte and, as a part, in which
 * member. */
bool json_parse(struct bytes text, struct json **ret, struct problem *p) must_use;
void json_free(struct json *root);
declare_auto_struct(json, json_free);

bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
bool json_is_string(const struct json *j);
bool json_is_null(const struct json *j);
/* The member, or NULL when it is missing or j is no object. JSON null is a value, not missing. */
const struct json *json_member(const struct json *j, const char *name);
/* The same for who takes null as nothing said: NULL for it too. */
const struct json *json_given(const struct json *j, const char *name);
/* The text of a string, or NULL when j is NULL or no string. Borrowed. */
const char *json_string(const struct json *j);
const char *json_member_string(const struct json *j, const char *name);
/* true and the value when j is a boolean. */
bool json_bool(const struct json *j, bool *ret) must_use;
/* true and the value when j is a number without fraction within +-2^53. */
bool json_integer(const struct json *j, int64_t *ret) must_use;
size_t json_length(const struct json *j);                          /* array or object; else 0 */
const struct json *json_at(const struct json *j, size_t i);        /* array or object member i */
const char *json_name(const struct json *j);                       /* name of an object's member */

/* Writer. Compact, no floats. Nesting is the caller's: open, members, close; commas are the
 * writer's. Text that is not UTF-8 is written with U+FFFD in place of the wrong bytes.
 *     struct json_writer w = json_writer(&buf);
 *     json_open(&w, NULL); json_put(&w, "status", "valid"); json_close(&w);          */
struct json_writer {
	struct buf *out;
	char closing[JSON_DEPTH_MAX + 1];
	unsigned depth;
	bool comma;
};
struct json_writer json_writer(struct buf *out);
/* name is NULL inside an array and for the outermost value. */
void json_open(struct json_writer *w, const char *name);        /* { */
void json_open_array(struct json_writer *w, const char *name);  /* [ */
void json_close(struct json_writer *w);                         /* the innermost one open */
void json_put(struct json_writer *w, const char *name, const char *text); /* NULL text: nothing is written */
void json_put_some(struct json_writer *w, const char *name, const char *text); /* "" neither */
void json_put_buf(struct json_writer *w, const char *name, const struct buf *text); /* what has failed fails here too */
void json_put_integer(struct json_writer *w, const char *name, int64_t value);
void json_put_bool(struct json_writer *w, const char *name, bool value);
void json_put_time(struct json_writer *w, const char *name, int64_t t);   /* RFC 3339; 0: nothing */
/* An array of texts. One without any is written too. */
void json_put_texts(struct json_writer *w, const char *name, const char *const *v, size_t n);
void json_put_strings(struct json_writer *w, const char *name, const struct strings *list);
void json_put_raw(struct json_writer *w, const char *name, struct bytes json); /* already JSON */
