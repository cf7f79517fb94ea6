/* Inventory: the row of store/certificate.h that a fresh certificate becomes, and how it gets there. Any
 * thread. */
#pragma once

#include "policy/approval.h"
#include "store/audit.h"
#include "store/certificate.h"

/* Type and value by which a row tells of an identifier that the certificate has. */
const char *inventory_name(const struct identifier *name, char ret_value[IDENTIFIER_VALUE_SIZE]);
/* The type alone, of a name that is no identifier. */
const char *inventory_other_type(enum csr_other_type type);
/* All of ret is one block of its own (certificate_free). der is copied; the id is that of the serial number. */
bool inventory_row(const struct approval_facts *facts, const char *issuer, struct bytes serial, struct bytes der,
                   struct certificate *ret, struct problem *p) must_use;
/* Puts a fresh row, and the event that tells of it (store/audit.h), in the caller's update: no certificate gets
 * into the inventory another way (make arch). The row that it replaces learns of it. UNAVAILABLE when its CA
 * is disabled, BAD_CSR when a certificate of its key is revoked for keyCompromise by then. actor: who had it issued, in words; from: the address that this came
 * from, or NULL. */
bool inventory_add(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                   struct problem *p) must_use;
/* The same, and the event tells more of it besides. more: ends with a row without a name; NULL: none. */
bool inventory_add_telling(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                           const struct audit_fact *more, struct problem *p) must_use;
/* The same for what a CA says of itself, which it says also when it is disabled. */
bool inventory_add_own(struct store_txn *txn, const struct certificate *row, struct problem *p) must_use;
