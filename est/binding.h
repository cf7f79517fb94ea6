/* Binding: the proof, in the CSR, that who made it is who speaks on this connection (RFC 7030, 3.5). */
#pragma once

#include "base/http.h"

/* A challengePassword, where there is one, must be this connection's tls-unique (RFC 5929) or, where TLS
 * 1.3 has none, its tls-exporter (RFC 9266), in base64. UNAUTHORIZED; BAD_CSR. */
bool binding_check(const struct http_request *request, struct bytes csr, struct problem *p) must_use;
