/* Certs-only: the reply that carries certificates (RFC 7030, 4.1.3 and 4.2.3), a SignedData that nobody
 * has signed, in base64. Any thread. */
#pragma once

#include "base/http.h"

/* Appends the CMS (RFC 5652, 5) of these certificates: their DER, one after another. */
void certs_only_write(struct bytes certificates, struct buf *ret);
/* Appends the base64 of the DER, in lines as this client can read them. */
void certs_only_wrap(const struct http_request *request, struct bytes der, struct buf *ret);
/* The whole reply. */
bool certs_only_reply(const struct http_request *request, const char *content_type, struct bytes certificates,
                      struct http_response *response, struct problem *p) must_use;
