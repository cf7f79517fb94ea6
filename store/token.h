/* Token: a credential of the REST API: what its bearer may do, where, and for which names. Of the
 * secret itself only a hash is kept; policy/bearer.h makes and checks it. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

/* name, bit, as it is written, what it lets do */
#define TOKEN_ROLES(X)                                                                        \
	X(ISSUE, 0, "issue", "ask for certificates, renew them, keep their metadata")          \
	X(READ, 1, "read", "list and read certificates, requests and profiles")                \
	X(REVOKE, 2, "revoke", "revoke certificates")                                          \
	X(APPROVE, 3, "approve", "decide requests that wait for a person")                     \
	X(KEY, 4, "key", "read, export and delete private keys that the server keeps")                            \
	X(ADMIN, 5, "admin", "all of the others but key; import, delete, webhooks")

enum token_role {
#define X(name, bit, text, meaning) TOKEN_##name = 1 << (bit),
	TOKEN_ROLES(X)
#undef X
};
const char *token_role_name(enum token_role role);
bool token_role_from(const char *name, enum token_role *ret) must_use;

struct token {
	void *memory;
	char id[RANDOM_ID_SIZE];
	struct bytes hash;            /* SHA-256 of the whole token; empty: the token is a client certificate */
	struct bytes key_hash;        /* SHA-256 of that certificate's SubjectPublicKeyInfo; empty: none */
	const char *note;             /* whose it is, in words */
	const char *name;             /* what policies call `{identity}`; NULL: none */
	int64_t roles;                /* enum token_role bits */
	struct record_texts profiles; /* where it counts; none: in all */
	struct record_texts names;    /* patterns, "dns:**.example.com"; none: whatever the profile allows */
	int64_t created, expires;     /* expires 0: never */
	int64_t revoked;              /* when; 0: not */
	int64_t used;                 /* when it was last seen, to the hour; 0: never */
};
void token_free(struct token *token);
declare_auto_value(token, token_free);

bool store_token_get(struct store_txn *txn, const char *id, struct token *ret, struct problem *p) must_use;
/* The token, not revoked, of the client certificate with this key. */
bool store_token_by_key(struct store_txn *txn, struct bytes key_hash, struct token *ret, struct problem *p) must_use;
/* New or changed. CONFLICT when another token that is not revoked has the key. */
bool store_token_put(struct store_txn *txn, const struct token *token, struct problem *p) must_use;
bool store_token_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p) must_use;
