/* Account: who may order (RFC 8555, 7.1.2). An account belongs to one directory: the same key in
 * two directories is two accounts, so that no directory's rules can be walked around. */
#pragma once

#include "base/digest.h"
#include "base/random.h"
#include "store/record.h"
#include "store/scope.h"
#include "store/store.h"

enum account_status { ACCOUNT_VALID, ACCOUNT_DEACTIVATED, ACCOUNT_REVOKED };
const char *account_status_name(enum account_status s); /* RFC 8555, 7.1.6 */

struct account {
	void *memory;
	char id[RANDOM_ID_SIZE];
	const char *directory;        /* name of the directory, e.g. "default" */
	enum account_status status;
	struct bytes key;             /* SubjectPublicKeyInfo DER */
	struct bytes thumbprint;      /* RFC 7638, SHA-256, 32 bytes */
	struct bytes former_thumbprints; /* of the keys it had, 32 bytes each, the oldest first; kept for dns-persist-01 */
	const char *jwk;              /* canonical JWK text as RFC 7638 orders it */
	struct record_texts contacts; /* as sent */
	bool terms_agreed;
	int64_t terms_agreed_at;
	const char *terms;            /* URL that was agreed to */
	int64_t created;
	const char *created_from;     /* IP address */
	const char *eab_kid;          /* external account, or NULL */
	const char *eab_json;         /* externalAccountBinding as sent, echoed (7.1.2) */
	struct scope scope;           /* inherited from the external account's key, or set since */
	bool quota_shared;            /* that key has a quota: its accounts count in its record too */
	bool ending;                  /* it was deactivated, and what it had begun is not all cancelled yet */
	const char *ended_after;      /* how far that is: a cursor into store_authorization_by_account; NULL: the beginning */
};
void account_free(struct account *account);
declare_auto_value(account, account_free);

/* NOT_FOUND when there is none. */
bool store_account_get(struct store_txn *txn, const char *id, struct account *ret, struct problem *p) must_use;
bool store_account_by_key(struct store_txn *txn, const char *directory, struct bytes thumbprint,
                          struct account *ret, struct problem *p) must_use;
/* New or changed, indexes included. CONFLICT when another account of the directory has the key. */
bool store_account_put(struct store_txn *txn, const struct account *account, struct problem *p) must_use;
/* Those that are ending, up to limit. */
bool store_account_ending(struct store_txn *txn, size_t limit, struct strings *ret, struct problem *p) must_use;
/* All accounts by id, after `after` ("" for the first page). */
bool store_account_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                        struct problem *p) must_use;
