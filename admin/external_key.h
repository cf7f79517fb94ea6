/* External key: those of external account binding (RFC 8555, 7.3.4; store/eab.h), as operators make, show and end
 * them, by command and by the API. Internal to admin/. Any thread. */
#pragma once

#include "admin/actor.h"
#include "base/json.h"
#include "store/eab.h"

/* One that was made. row borrows the texts of its wish. */
struct external_key {
	struct eab row;
	char kid[RANDOM_ID_SIZE];
	struct buf sealed, key;       /* key: base64url, what clients take; told once */
};
void external_key_free(struct external_key *key);
declare_auto_value(external_key, external_key_free);

/* note, scope, expires and uses_max of the wish count. The scope was checked. */
bool external_key_make(struct store *store, const struct eab *wish, const struct actor *actor, struct external_key *ret,
                       struct problem *p) must_use;
/* NOT_FOUND. The caller frees ret. */
bool external_key_find(struct store_txn *txn, const char *kid, struct eab *ret, struct problem *p) must_use;
/* The same; ALREADY_REVOKED. Accounts that it bound stay. */
bool external_key_revoke(struct store *store, const char *kid, const struct actor *actor, struct eab *ret,
                         struct problem *p) must_use;

/* "valid", "revoked", "expired", "used up" */
const char *external_key_status(const struct eab *eab, int64_t now);
/* Appends it as an object; key NULL: without. */
void external_key_json(const struct eab *eab, const char *key, int64_t now, struct buf *ret);
