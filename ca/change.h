/* Change: what an operation on the CAs is going to do: files that are written or removed, in order, and the
 * certificates that it made. Nothing is done before the caller has recorded it: first change_record, with what
 * it tells the audit log, in one update of the store; then change_apply. So no CA certificate is in use that is
 * not in the inventory; what a crash cuts off between the two is done by running the operation again. One thread. */
#pragma once

#include "base/ossl.h"
#include "ca/issuer.h"
#include "store/store.h"

struct change_file {
	char *name;               /* in the CA's folder */
	struct buf content;       /* empty: the file is removed */
	unsigned mode;
};
struct change_row {
	struct buf der;
	char by[ISSUER_NAME_SIZE];       /* who signed it; "": a CA that is not ours */
};
struct change {
	struct change_file *files;
	size_t file_count;
	struct change_row *rows;
	size_t row_count;
	char name[ISSUER_NAME_SIZE];     /* of the CA that it is about */
	char successor[ISSUER_NAME_SIZE];/* of the one that takes its place; "" */
};
void change_free(struct change *change);
declare_auto_value(change, change_free);

/* The name of the file is the CA's and an ending, such as ".chain.pem". */
bool change_file(struct change *change, const char *name, const char *ending, struct bytes content, unsigned mode,
                 struct problem *p) must_use;
bool change_certificate_file(struct change *change, const char *name, const char *ending, X509 *const *certificates,
                             size_t count, struct problem *p) must_use;
/* What stands above the CA, the root last: as many as can be read again (chain.h), else MALFORMED. */
bool change_chain_file(struct change *change, const char *name, const ossl_x509_stack *chain,
                       struct problem *p) must_use;
/* Says that this certificate goes into the inventory. */
bool change_row(struct change *change, X509 *certificate, const char *by, struct problem *p) must_use;

/* What is in the inventory already stays as it is. actor: as in ca/inventory.h. */
bool change_record(struct store_txn *txn, const struct change *change, const char *actor, int64_t now,
                   struct problem *p) must_use;
bool change_apply(const char *folder, const struct change *change, struct problem *p) must_use;
