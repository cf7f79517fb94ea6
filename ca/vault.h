/* Vault: private keys that the server makes for others and keeps, sealed with AES-256-GCM (base/seal.h) under a key of
 * their own: one in a file that the operator names, or one that follows from the store's seal. The hash of the public
 * key is authenticated with each, so that no row can take another's place.
 *
 * A sealed key says by a name which key it is under, so that it can be sealed anew (`enrolld key reseal`). Immutable;
 * any thread. Sealing takes random bytes, so it is done before the update that puts the row. */
#pragma once

#include "base/ossl.h"
#include "store/private_key.h"

struct vault;

/* key_file NULL: the store's seal. A file that is missing is made. */
bool vault_open(struct store *store, const char *key_file, struct vault **ret, struct problem *p) must_use;
void vault_free(struct vault *vault);
declare_auto_struct(vault, vault_free);

/* Seals: the row without its id, whose bytes are in ret_sealed, and its hash in ret_key_hash. */
bool vault_close(const struct vault *vault, EVP_PKEY *key, int64_t now, struct buf *ret_sealed,
                 uint8_t ret_key_hash[32], struct private_key *ret, struct problem *p) must_use;
/* Opens. INTERNAL: it is sealed under another key, or not by us. */
bool vault_reveal(const struct vault *vault, struct bytes key_hash, const struct private_key *row, EVP_PKEY **ret,
                  struct problem *p) must_use;
/* Whether the row is sealed under this vault's key. */
bool vault_has(const struct vault *vault, const struct private_key *row) must_use;

/* A private key in PEM, not encrypted: PKCS #8, or the older forms of RSA and EC keys. MALFORMED. */
bool vault_read_pem(const char *text, EVP_PKEY **ret, struct problem *p) must_use;
/* An unencrypted PKCS #8 key as PEM, or with a password (RFC 8018: PBES2, PBKDF2 with SHA-256, AES-256-CBC).
 * Appended. */
bool vault_pem(EVP_PKEY *key, const char *password, struct buf *ret, struct problem *p) must_use;
