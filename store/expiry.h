/* Expiry: which orders, authorizations and requests fall due, in order of time. The puts of the records keep
 * it, whatever the status, for as long as the record has an `expires`; the sweeper reads it and
 * moves or deletes what it has dealt with. */
#pragma once

#include "store/store.h"

enum expiry_kind { EXPIRY_ORDER, EXPIRY_AUTHORIZATION, EXPIRY_REQUEST };
/* Called with each id that is due; return false to stop. It must not write. */
typedef bool expiry_visit(void *arg, enum expiry_kind kind, const char *id, int64_t expires);
void store_expiry_due(struct store_txn *txn, int64_t now, expiry_visit *visit, void *arg);
