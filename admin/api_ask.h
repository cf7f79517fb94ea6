/* Ask: what the bodies of issue and renew ask for, read into an issuance. Internal to admin/. */
#pragma once

#include "admin/api_issuance.h"

/* The CSR of `csr`, as DER; a part where it is missing, empty or no PEM of a CSR. */
bool api_ask_csr(const struct json *body, struct buf *ret, struct problem *parts);
/* `attributes`: ttl, notBefore, notAfter into e->wish. */
void api_ask_period(const struct json *body, struct issuance *e, struct problem *parts);
/* `metadata` into list, which the caller frees; its texts are borrowed from body. */
bool api_ask_metadata(const struct json *body, struct record_list *ret, struct problem *parts);

/* "90d", "12h", "3m" (of 30 days), "1y" (of 365): seconds. */
bool api_ask_ttl(const char *text, int64_t *ret) must_use;
