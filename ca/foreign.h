/* Foreign: certificates of other CAs, as rows of the inventory: known here, to be found and watched, and
 * neither signed nor revoked. Any thread. */
#pragma once

#include "store/certificate.h"

/* The row of a certificate in DER: id, names, dates, serial number, hashes. Owns all it points to. profile may be
 * "". MALFORMED: no certificate, one without what RFC 5280 demands, or with a name that has a NUL byte. */
bool foreign_row(struct bytes der, const char *profile, const char *identity, int64_t now, struct certificate *ret,
                 struct problem *p) must_use;
/* Puts the row, and the event that tells of it (store/audit.h), in the caller's update. CONFLICT when it is known
 * already. actor, from: as in ca/inventory.h. */
bool foreign_add(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                 struct problem *p) must_use;
