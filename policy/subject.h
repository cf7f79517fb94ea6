/* Subject: the attributes of a distinguished name that a certificate can carry, in order.
 *
 * Values; any thread. An attribute's text is UTF-8 without control characters; its encoding and its
 * upper bound follow from its type (RFC 5280, 4.1.2.4 and A.1). */
#pragma once

#include "base/bytes.h"

enum subject_type {
	SUBJECT_CN, SUBJECT_O, SUBJECT_OU, SUBJECT_C, SUBJECT_ST, SUBJECT_L, SUBJECT_DC, SUBJECT_EMAIL,
	SUBJECT_SERIAL_NUMBER,
	SUBJECT_TYPE_MAX,
};
enum { SUBJECT_VALUE_SIZE = 256 };

const char *subject_type_label(enum subject_type type); /* "organizational_unit", as in refusals */
const char *subject_type_short(enum subject_type type); /* "OU" (RFC 4514, 3) */
const char *subject_type_oid(enum subject_type type);   /* "2.5.4.11" */
uint8_t subject_type_tag(enum subject_type type);       /* of the ASN.1 string it is written as */
bool subject_type_from_oid(const char *oid, enum subject_type *ret) must_use;

struct subject_attribute {
	enum subject_type type;
	char value[SUBJECT_VALUE_SIZE];
};
struct subject {
	struct subject_attribute *v; /* heap, owned */
	size_t n;
};
/* Whether the text can stand in a certificate: its length in characters, and its alphabet. MALFORMED. */
bool subject_check(enum subject_type type, const char *value, struct problem *p) must_use;
/* Appends a copy, unchecked but for its size. */
bool subject_add(struct subject *subject, enum subject_type type, const char *value, struct problem *p) must_use;
/* The same, where an X.500 directory has it: countries above organizations above people, domain components above all.
 * What stands there already keeps its order. */
bool subject_insert(struct subject *subject, enum subject_type type, const char *value, struct problem *p) must_use;
/* The first of the type, or NULL. */
const char *subject_find(const struct subject *subject, enum subject_type type);
/* Whether it has this very attribute; letters of ASCII are equal in either case (RFC 5280, 7.1). */
bool subject_has(const struct subject *subject, enum subject_type type, const char *value) must_use;
void subject_free(struct subject *subject);
declare_auto_value(subject, subject_free);
/* RFC 4514 text, the last attribute first, appended. */
void subject_text(const struct subject *subject, struct buf *ret);
