/* Contact: the URLs at which an account's owner can be reached (RFC 8555, 7.3). */
#pragma once

#include "base/json.h"

/* The "contact" member as sent, but for spaces after "mailto:"; NULL: none. MALFORMED, UNSUPPORTED_CONTACT,
 * INVALID_CONTACT; the whole list is at most max URLs. */
bool contact_read(const struct json *contact, unsigned max, struct strings *ret, struct problem *p) must_use;
