/* JSON scanner, for base/json.c alone: RFC 8259's grammar and our bounds, in one pass and without
 * recursion. The reader sees only what passed here. Owns nothing; any thread. */
#pragma once

#include "base/bytes.h"

/* Whether the text is one value within the bounds of base/json.h, and how many values are in it. */
bool json_scan(struct bytes text, size_t *ret_values, struct problem *p) must_use;
