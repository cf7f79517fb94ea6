/* External account binding keys (RFC 8555, 7.3.4). The HMAC key is sealed at rest. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/scope.h"
#include "store/store.h"

struct eab {
	void *memory;
	const char *kid;
	struct bytes sealed_key;      /* store_seal, context "eab " + kid */
	const char *note;
	struct scope scope;           /* its accounts inherit it; its quota is one for them all */
	int64_t created, expires;     /* 0: never */
	int64_t uses, uses_max;       /* 0: any number */
	bool revoked;
};
void eab_free(struct eab *eab);
declare_auto_value(eab, eab_free);

bool store_eab_get(struct store_txn *txn, const char *kid, struct eab *ret, struct problem *p) must_use;
bool store_eab_put(struct store_txn *txn, const struct eab *eab, struct problem *p) must_use;
bool store_eab_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                    struct problem *p) must_use;
