/* Record: how a typed record becomes bytes and back, by a table of its fields.
 *
 * A record is a struct whose first member is `void *memory`: one block, made by decoding, that all
 * its strings, bytes and lists point into; record_free frees it. A record that is being built
 * points into memory of its builder and has memory NULL. Unknown tags are skipped, missing ones
 * leave zero: fields can be added without an upgrade. Lengths are checked against the input. */
#pragma once

#include "base/bytes.h"

enum record_type {
	RECORD_TEXT,     /* const char *; NULL is not written */
	RECORD_ID,       /* char[RANDOM_ID_SIZE]; "" is not written */
	RECORD_INTEGER,  /* int64_t; 0 is not written */
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
struct record_list {
	void *v;         /* array of structs of the sub-schema's size */
	size_t n;
};
struct record_field {
	uint8_t tag;     /* 1..255, never used again once given up */
	enum record_type type;
	size_t offset;
	const struct record_schema *sub; /* RECORD_LIST */
};
struct record_schema {
	const char *name;
	size_t size;
	const struct record_field *fields;
	size_t field_count;
};
bool record_encode(const struct record_schema *schema, const void *record, struct buf *ret, struct problem *p) must_use;
/* Fills ret (schema->size bytes), memory included. INTERNAL when the bytes are no such record. */
bool record_decode(const struct record_schema *schema, struct bytes in, void *ret, struct problem *p) must_use;
void record_free(void *record); /* frees memory and sets it NULL */
