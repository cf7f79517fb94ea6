/* Identifier: a name that can stand in a certificate, in its one canonical form.
 *
 * Values; any thread. DNS names are lower-case A-labels without a final dot (RFC 5890; U-labels
 * are refused: clients send A-labels, RFC 8555, 7.1.4), IP addresses are dotted quads or RFC 5952
 * text. Two identifiers are the same exactly when their canonical forms are the same bytes. */
#pragma once

#include "base/addr.h"
#include "base/problem.h"

enum identifier_type {
	IDENTIFIER_DNS,
	IDENTIFIER_IP,
	IDENTIFIER_EMAIL,
	IDENTIFIER_URI,
	IDENTIFIER_PERMANENT, /* permanent-identifier, hardware-module: of devices (policy/device_name.h). They are ordered */
	IDENTIFIER_HARDWARE,  /* over ACME; a certificate has them as otherNames, and no struct identifiers of names. */
	IDENTIFIER_TYPE_MAX,
};
enum { IDENTIFIER_VALUE_SIZE = 256 };

struct identifier {
	enum identifier_type type;
	char value[IDENTIFIER_VALUE_SIZE];
};

const char *identifier_type_name(enum identifier_type type); /* "dns" */
bool identifier_type_from(const char *name, enum identifier_type *ret) must_use;

/* Checks and brings to canonical form. A DNS name may begin with "*." (RFC 8555, 7.1.3).
 * Refusals: UNSUPPORTED_IDENTIFIER for an unknown type; MALFORMED for what is no such name at all (a
 * final dot, an IP address as "dns", an IPv4-mapped address as "ip"); REJECTED_IDENTIFIER for a name
 * that we never issue for (a bare top label is allowed: this is a private PKI; a last label that
 * is a number, as "1" or "0x1", an empty or 64-byte label, "_" are not). A URI is absolute, with a plain host and
 * without dot segments, or a URN. Which types can be ordered over ACME is for acme/ to say. */
bool identifier_parse(const char *type, const char *value, struct identifier *ret,
                      struct problem *p) must_use;
bool identifier_equal(const struct identifier *a, const struct identifier *b) must_use;
int identifier_compare(const struct identifier *a, const struct identifier *b); /* for qsort, by type then value */
bool identifier_is_device(enum identifier_type type) must_use;
bool identifier_is_wildcard(const struct identifier *i) must_use;
/* "www.example.com" of "*.www.example.com"; itself otherwise. */
const char *identifier_base(const struct identifier *i);
/* Fits a subjectAltName's iPAddress into addr; asserts the type. */
void identifier_addr(const struct identifier *i, struct addr *ret);

/* A sorted set without doubles, filled by identifiers_add alone. */
struct identifiers {
	struct identifier *v; /* heap, owned */
	size_t n;
};
bool identifiers_add(struct identifiers *set, const struct identifier *i, struct problem *p) must_use; /* a double is dropped */
bool identifiers_has(const struct identifiers *set, const struct identifier *i) must_use;
bool identifiers_equal(const struct identifiers *a, const struct identifiers *b) must_use;
void identifiers_free(struct identifiers *set);
declare_auto_value(identifiers, identifiers_free);
