/* Publish: the wing "ca", with what relying parties fetch over plain HTTP: the certificates of the
 * CAs (RFC 5280, 4.2.2.1) at /ca/{name}.crt, and the root at /root.pem. CRLs and OCSP are server/revocation.h's.
 * Any thread. */
#pragma once

#include "base/http.h"
#include "ca/ca.h"

/* Borrows the CA. */
struct http_wing publish_wing(const struct ca *ca);
