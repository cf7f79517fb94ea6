/* Certificate: a row of the inventory as JSON, for the commands and the API, and how people name one.
 * Internal to admin/. */
#pragma once

#include "store/certificate.h"

/* One object, appended. */
void certificate_json(const struct certificate *certificate, bool with_pem, struct buf *ret);
/* By id, by serial number or by SHA-256 fingerprint, as people paste them: hexadecimal of either case, with
 * or without colons, spaces and 0x. NOT_FOUND. */
bool certificate_find(struct store_txn *txn, const char *text, struct certificate *ret, struct problem *p) must_use;
