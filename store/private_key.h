/* Private key: one that the server made and keeps, sealed (base/seal.h; ca/vault.h opens it), under the SHA-256 of its
 * SubjectPublicKeyInfo: the certificates of one key share it. */
#pragma once

#include "store/record.h"
#include "store/store.h"

struct private_key {
	void *memory;
	const char *id;         /* hexadecimal of the hash; set by the put */
	const char *seal;       /* which seal it is closed with (ca/vault.h) */
	struct bytes sealed;    /* PKCS #8 */
	int64_t created;
};
void private_key_free(struct private_key *key);
declare_auto_value(private_key, private_key_free);

/* NOT_FOUND. */
bool store_private_key_get(struct store_txn *txn, struct bytes key_hash, struct private_key *ret,
                           struct problem *p) must_use;
/* New, or sealed anew. */
bool store_private_key_put(struct store_txn *txn, struct bytes key_hash, const struct private_key *key,
                           struct problem *p) must_use;
bool store_private_key_delete(struct store_txn *txn, struct bytes key_hash, struct problem *p) must_use;
/* The hashes in hexadecimal, in order. */
bool store_private_key_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                            struct problem *p) must_use;
