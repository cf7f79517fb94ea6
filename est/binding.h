/* Binding: the proof, in the CSR, that who made it is who speaks on this connection (RFC 7030, 3.5). */
#pragma once

#include "est/call.h"
#include "policy/csr.h"
#include "policy/identity.h"

/* A challengePassword or an estIdentityLinking (RFC 7894, 3.3), where there is one, must be this connection's
 * tls-unique (RFC 5929) in TLS 1.2 or, where the label takes it, its tls-exporter (RFC 9266), in base64;
 * where the label wants one there must be one. A registration authority has checked its client's itself
 * (3.7). UNAUTHORIZED. */
bool binding_check(const struct est_call *call, const struct identity *identity, const struct csr *csr,
                   struct problem *p) must_use;
