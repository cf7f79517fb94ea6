/* Kept key: a private key that the server keeps, opened by a command. Internal to admin/. */
#pragma once

#include "admin/actor.h"
#include "admin/admin.h"
#include "base/ossl.h"

/* Opens the key of the certificate that text names (admin/certificate.h), once the audit log has that it was read, `as`
 * "pem" or another word. NOT_FOUND: there is no such certificate, or its key is not kept. The caller frees both. */
bool kept_key_read(const struct admin *admin, struct store *store, const char *text, const char *as,
                   struct certificate *ret, EVP_PKEY **ret_key, struct problem *p) must_use;
