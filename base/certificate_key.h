/* Certificate key: what a stranger's certificate says of its key, read before OpenSSL decodes it.
 *
 * A key on a curve that its certificate spells out costs OpenSSL a tenth of a second, and a chain of them
 * seconds, before anything is proven: nothing in PKIX may be written so (RFC 5480, 2.1.1). Any thread. */
#pragma once

#include "base/bytes.h"

/* Whether this is the DER of a certificate (RFC 5280, 4.1), as far as its key, and that names what it is: without
 * parameters, or with the name of a curve, or with those of RSASSA-PSS. A point on another curve than P-256, P-384,
 * P-521 and Brainpool's is not compressed: computing the rest of it costs a millisecond. */
bool certificate_key_is_plain(struct bytes certificate) must_use;
