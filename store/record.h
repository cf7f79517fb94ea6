/* Record: how a typed record becomes bytes and back, by a table of its fields.
 *
 * A record is a struct whose first member is `void *memory`: one block, made by decoding, that all
 * its strings, bytes and lists point into; record_free frees it. A record that is being built
 * points into memory of its builder and has memory NULL. Unknown tags are skipped, missing ones
 * leave zero, but for texts that are always there: fields can be added without an upgrade. Lengths are checked
 * against the input.
 *
 * A field is its tag (one byte), the length of its value, and the value. A length is 7 bits a byte,
 * lowest first, the high bit on all but the last. An integer is folded (0, -1, 1, -2, ... become
 * 0, 1, 2, 3, ...) and written lowest byte first without its leading zeros. A list is its elements,
 * each after its length. */
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/random.h"

enum record_type {
	RECORD_TEXT,     /* const char *; NULL is not written */
	RECORD_ID,       /* char[RANDOM_ID_SIZE], as its 16 raw bytes; "" is not written */
	RECORD_INTEGER,  /* int64_t; 0 is not written */
	RECORD_TIME,     /* int64_t, seconds since 1970, of those that base/clock.h can write; 0 is not written */
	RECORD_ENUM,     /* an enum of int's size; 0 is not written */
	RECORD_BOOL,     /* bool */
	RECORD_BYTES,    /* struct bytes; length 0 is not written */
	RECORD_LIST,     /* struct record_list of sub-records */
	RECORD_TEXTS,    /* struct record_texts */
};
struct record_texts {
	const char *const *v;
	size_t n;
};
bool record_texts_has(const struct record_texts *texts, const char *text) must_use;
/* The same texts, borrowed from the list. */
struct record_texts record_texts_of(const struct strings *list);
struct record_list {
	void *v;         /* array of structs of the sub-schema's size */
	size_t n;
};
struct record_field {
	uint8_t tag;     /* 1..255, rising in the table, never used again once given up */
	enum record_type type;
	size_t offset;
	const struct record_schema *sub; /* RECORD_LIST */
	int last;                        /* RECORD_ENUM: its highest value */
	bool always;                     /* RECORD_TEXT: never NULL, in no record that can be read */
};
struct record_schema {
	const char *name;
	size_t size;
	const struct record_field *fields;
	size_t field_count;
};
/* Rows of a table of fields. A member whose type is not the row's does not compile. */
#define RECORD_FIELD(number, kind, s, member, c_type, schema, ...)                                               \
	{ .tag = (number), .type = (kind), .sub = (schema),                                                  \
	  .offset = offsetof(struct s, member) +                                                             \
	            0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct s *)0)->member), c_type) ? 1 : -1]),\
	  __VA_ARGS__ }
#define record_text(tag, s, member) RECORD_FIELD(tag, RECORD_TEXT, s, member, const char *, NULL)
#define record_text_always(tag, s, member) RECORD_FIELD(tag, RECORD_TEXT, s, member, const char *, NULL, .always = true)
#define record_id(tag, s, member) RECORD_FIELD(tag, RECORD_ID, s, member, char[RANDOM_ID_SIZE], NULL)
#define record_integer(tag, s, member) RECORD_FIELD(tag, RECORD_INTEGER, s, member, int64_t, NULL)
#define record_time(tag, s, member) RECORD_FIELD(tag, RECORD_TIME, s, member, int64_t, NULL)
#define record_enum(tag, s, member, e, highest) RECORD_FIELD(tag, RECORD_ENUM, s, member, enum e, NULL, .last = (highest))
#define record_bool(tag, s, member) RECORD_FIELD(tag, RECORD_BOOL, s, member, bool, NULL)
#define record_bytes(tag, s, member) RECORD_FIELD(tag, RECORD_BYTES, s, member, struct bytes, NULL)
#define record_list(tag, s, member, schema) RECORD_FIELD(tag, RECORD_LIST, s, member, struct record_list, schema)
#define record_texts(tag, s, member) RECORD_FIELD(tag, RECORD_TEXTS, s, member, struct record_texts, NULL)

enum { RECORD_MAX = 16 * 1024 * 1024 };

/* Appends to ret. TOO_LARGE beyond RECORD_MAX; INTERNAL: a time that no clock shows. */
bool record_encode(const struct record_schema *schema, const void *record, struct buf *ret, struct problem *p) must_use;
/* Fills ret (schema->size bytes), memory included. INTERNAL when the bytes are no such record. */
bool record_decode(const struct record_schema *schema, struct bytes in, void *ret, struct problem *p) must_use;
void record_free(void *record); /* frees memory and sets it NULL */
