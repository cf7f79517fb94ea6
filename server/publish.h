/* Publish: the wing "ca", with what relying parties fetch over plain HTTP: the certificates of the
 * issuing CAs (RFC 5280, 4.2.2.1) at /ca/{issuer}.crt, and the root at /root.pem. CRLs and OCSP will
 * stand beside them. Any thread. */
#pragma once

#include "base/http.h"
#include "ca/ca.h"

/* Borrows the CA. */
struct http_wing publish_wing(const struct ca *ca);
