/* Likeness: the name that readers take a text for, so that what is denied as a name is denied there too. Any thread. */
#pragma once

#include "policy/csr.h"

/* Of a common name: a DNS name of two labels or more, an IP address, a mail address, in canonical form. One that has a
 * final dot, or joiners that nobody sees, is the one without; an IPv4-mapped address is the IPv4 address. */
bool likeness_of_text(const char *value, struct identifier *ret) must_use;
/* Of a name of another type: the address of a mailbox beyond ASCII (RFC 9598), the host of a service (RFC 4985), a
 * realm (RFC 7585). What stands there need not be a name that could be certified; a final dot and joiners are left
 * out. */
bool likeness_of_other(const struct csr_other_name *other, struct identifier *ret) must_use;
