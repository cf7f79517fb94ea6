/* CBOR: one item and all within it (RFC 8949), read within bounds.
 *
 * Read: integers of 64 bits, byte and text strings, arrays, maps, booleans and null. Refused: lengths that are
 * not said beforehand, tags, floating point numbers, keys that are neither text nor integers, keys said twice,
 * text that is not UTF-8, bytes after the item. That keys are sorted and lengths are short is not asked for
 * (RFC 8949, 4.2). Nothing is allocated, whatever lengths the input claims; strings are borrowed from the
 * input. Values; any thread. */
#pragma once

#include "base/bytes.h"

enum cbor_kind {
	CBOR_INTEGER, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_SIMPLE, /* true, false, null */
};
struct cbor {
	enum cbor_kind kind;
	struct bytes bytes;  /* a string's */
	int64_t integer;
	size_t count;        /* items of an array, pairs of a map */
	size_t span;         /* places in the run that it takes up, with all within it */
};

enum { CBOR_SIZE_MAX = 64 * 1024, CBOR_ITEMS_MAX = 128, CBOR_DEPTH_MAX = 6 };
/* The item stands first, what is within it behind it, in the order of the input. */
struct cbor_run {
	struct cbor item[CBOR_ITEMS_MAX];
};
/* MALFORMED, or TOO_LARGE. */
bool cbor_read(struct bytes in, struct cbor_run *ret, struct problem *p) must_use;
/* The same of an item that others may follow: it is taken from the front of in. */
bool cbor_take(struct bytes *in, struct cbor_run *ret, struct problem *p) must_use;

/* The first item of a container that is not empty, and the one after an item. */
const struct cbor *cbor_first(const struct cbor *container);
const struct cbor *cbor_after(const struct cbor *item);
/* The value of that key of a map; NULL: none, or of another kind. */
const struct cbor *cbor_of(const struct cbor *map, const char *key, enum cbor_kind kind);
const struct cbor *cbor_of_number(const struct cbor *map, int64_t key, enum cbor_kind kind);
