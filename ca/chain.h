/* Chain: certificates above an issuer, read from PEM files and checked up to their root. Any thread. */
#pragma once

#include "base/ossl.h"

enum { CHAIN_LENGTH_MAX = 8 };

/* Reads all certificates of the file, one to CHAIN_LENGTH_MAX. MALFORMED names the path. */
bool chain_read(const char *path, ossl_x509_stack **ret, struct problem *p) must_use;
/* Whether the certificate is good now (clock_now) under the chain, whose last one is a self-signed
 * root. A chain may begin with another certificate of the same name and key, which then is judged
 * and written in its place. */
bool chain_verify(const char *path, X509 *certificate, ossl_x509_stack *chain, struct problem *p) must_use;
/* What a server sends below the root (RFC 8555, 9.1): the certificate and the chain but for its last. */
bool chain_write(X509 *certificate, ossl_x509_stack *chain, struct buf *ret, struct problem *p) must_use;
