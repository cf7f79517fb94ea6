/* CSR attributes: what a profile wants of a CSR, told beforehand (RFC 7030, 4.5, as RFC 8951, 4, and RFC 9908 have it).
 * Any thread. */
#pragma once

#include "base/bytes.h"
#include "policy/profile.h"

/* Appends the CsrAttrs; nothing where nothing is wanted. linked: the CSR must have a challengePassword. */
void csr_attributes_write(const struct profile *profile, bool linked, struct buf *ret);
