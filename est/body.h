/* Body: what an EST client sends, whatever clothes it wears. RFC 8951, 3.1: base64 with any or no white
 * space; beside it, because clients do so, DER as it is, and PEM. Any thread. */
#pragma once

#include "base/bytes.h"

/* Appends the DER of the request in the body. MALFORMED. */
bool body_read(struct bytes body, struct buf *ret, struct problem *p) must_use;
