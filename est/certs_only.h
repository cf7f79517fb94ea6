/* Certs-only: the reply that carries certificates (RFC 7030, 4.1.3 and 4.2.3), a SignedData that nobody
 * has signed, in base64. Any thread. */
#pragma once

#include "est/call.h"

#define CERTS_ONLY_TYPE "application/pkcs7-mime; smime-type=certs-only"

/* Appends the CMS (RFC 5652, 5) of these certificates: their DER, one after another. */
void certs_only_write(struct bytes certificates, struct buf *ret);
/* The whole reply. */
bool certs_only_reply(struct est_call *call, const char *content_type, struct bytes certificates,
                      struct problem *p) must_use;
