/* CSR text: a CSR as people hand it over, in PEM (RFC 7468, 7) or DER. Any thread. */
#pragma once

#include "base/bytes.h"

/* Appends the DER. BAD_CSR: "CSR cannot be empty", a certificate in its place, or no CSR at all. What
 * stands before and after the PEM block is skipped. */
bool csr_from_text(struct bytes text, struct buf *ret, struct problem *p) must_use;
