/* Certificate: a row of the inventory as JSON, for the commands and the API, and how people name one.
 * Internal to admin/. */
#pragma once

#include "store/certificate.h"

/* One object, appended. */
void certificate_json(const struct certificate *certificate, bool with_pem, struct buf *ret);
/* Of one whose key the server keeps: "off", "scheduled", "waiting", "failing" or "done". */
const char *certificate_renewal_state(const struct certificate *certificate);
/* "dns:a.example ip:192.0.2.1", without the common name. Appended. */
void certificate_add_names(const struct certificate *certificate, struct buf *ret);
/* Bytes in hexadecimal as people paste them: of either case, with or without colons, spaces and 0x. Leading zero bytes
 * of what is no digest go: a serial number has none. */
bool certificate_hex(const char *text, struct buf *ret) must_use;
/* The same of size bytes; 0: of a serial number's (RFC 5280, 4.1.2.2). The refusal says what was expected. */
bool certificate_hex_sized(const char *text, size_t size, struct buf *ret, struct problem *p) must_use;
/* By id, by serial number or by SHA-256 fingerprint. NOT_FOUND. */
bool certificate_find(struct store_txn *txn, const char *text, struct certificate *ret, struct problem *p) must_use;
/* The profile whose tokens may see it; "": those alone that see all. That is what is of no profile, and what the
 * server made for itself, its CAs and responders among it, whatever their rows say: a profile can be called as they
 * are. */
const char *certificate_scope(const struct certificate *row);
/* What an export calls it: the common name, or else the first name. */
const char *certificate_alias(const struct certificate *row);
