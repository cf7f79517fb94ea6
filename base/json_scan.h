/* JSON scanner, for base/json.c alone: RFC 8259's grammar and our bounds, in one pass and without
 * recursion. cJSON is lenient (any control character is white space, a NUL ends a string, a name may
 * come twice, a number may be "01") and has read past the end of unfinished texts; it sees only what
 * passed here. Owns nothing; any thread. */
#pragma once

#include "base/bytes.h"

/* Whether the text is one value within the bounds of base/json.h, and how many values are in it. */
bool json_scan(struct bytes text, size_t *ret_values, struct problem *p) must_use;
