/* Issued: the reply to who asked for a certificate. Internal to admin/. */
#pragma once

#include "admin/api_issuance.h"

/* 200 with the certificate, and the key where the server made it; 202 where people must approve it first. */
bool api_issued_write(struct api_call *call, const struct issuance *e, struct problem *p) must_use;
/* The same of a certificate that was issued earlier; key NULL: none is shown. */
bool api_issued_put(struct api_call *call, const struct certificate *certificate, const char *request, EVP_PKEY *key,
                    struct problem *p) must_use;
