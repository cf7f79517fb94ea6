/* Likeness: the name that readers take a text for, so that what is denied as a name is denied there too. Any thread. */
#pragma once

#include "policy/csr.h"

/* Of a common name: a DNS name of two labels or more, an IP address, a mail address. */
bool likeness_of_text(const char *value, struct identifier *ret) must_use;
/* Of a name of another type: the address of a mailbox beyond ASCII (RFC 9598), the host of a service (RFC 4985), a realm (RFC 7585). What
 * stands there is compared as it is, and need not be a name that could be certified. */
bool likeness_of_other(const struct csr_other_name *other, struct identifier *ret) must_use;
