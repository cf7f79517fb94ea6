/* A-label: a label of a domain name that stands for one in other letters than those of ASCII (RFC 5890, 2.3.2.1).
 * Pure. */
#pragma once

#include "base/bytes.h"

/* Whether the label, if it begins with "xn--", goes on with Punycode (RFC 3492) of characters: one that nobody can
 * read shows each reader another name. Whether IDNA has these characters is for who registers the name. */
bool alabel_check(const char *label, size_t len) must_use;
