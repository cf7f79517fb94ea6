/* Own request: a fresh key and a CSR of the server's own names. Internal to server/own_certificate.c. */
#pragma once

#include "base/ossl.h"
#include "policy/identifier.h"

bool own_request_make(const struct identifiers *names, EVP_PKEY **ret_key, struct buf *ret_der,
                      struct problem *p) must_use;
/* The names of a certificate, of types dns and ip alone. */
bool own_request_names(X509 *certificate, struct identifiers *ret, struct problem *p) must_use;
