/* Key file: a private key at rest, PKCS#8 EncryptedPrivateKeyInfo with PBES2 (RFC 8018): scrypt,
 * AES-256-CBC, as PEM, 0600. Or one line with the URI of a key in a token (ca/pkcs11.h). */
#pragma once

#include "base/ossl.h"

enum keyfile_kind { KEYFILE_EC_P256, KEYFILE_EC_P384, KEYFILE_RSA_3072, KEYFILE_RSA_4096 };
/* "ec-p256" "ec-p384" "rsa-3072" "rsa-4096" */
bool keyfile_kind_from(const char *name, enum keyfile_kind *ret) must_use;
bool keyfile_generate(enum keyfile_kind kind, EVP_PKEY **ret, struct problem *p) must_use;
/* What the passphrase is, which says how slow a try at it has to be: one that a person chose can be
 * searched for, one of 256 random bits cannot. */
enum keyfile_passphrase { KEYFILE_CHOSEN, KEYFILE_RANDOM };
/* What keyfile_write writes: PEM, appended. */
bool keyfile_seal(EVP_PKEY *key, enum keyfile_passphrase kind, struct bytes passphrase, struct buf *ret,
                  struct problem *p) must_use;
/* A new file; an existing one is refused with CONFLICT. */
bool keyfile_write(const char *path, EVP_PKEY *key, enum keyfile_passphrase kind, struct bytes passphrase,
                   struct problem *p) must_use;
#define KEYFILE_URI "pkcs11:"
/* Whether the key is the certificate's. Asked of the bytes: of a key in a token there is no private half to ask. */
bool keyfile_fits(X509 *certificate, EVP_PKEY *key) must_use;
/* Also reads an unencrypted PKCS#8 file when passphrase.len is 0. A file that group or others can
 * read is refused. UNAUTHORIZED for a wrong passphrase. */
bool keyfile_read(const char *path, struct bytes passphrase, EVP_PKEY **ret, struct problem *p) must_use;
