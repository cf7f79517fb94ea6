/* PKCS#11: CA keys that stay in a token.
 *
 * The vendor's module is loaded when the first key is asked for, and there is one for the process, as the standard
 * has it (C_Initialize). A key is an EVP_PKEY like any other whose private half is here a call of C_Sign: its
 * EC_KEY or RSA has a method of our own. Each signature takes a session from the key's pool, so threads do not
 * wait for each other. A session that failed because the token went away is dropped, the token is looked for again
 * and logged into, once; then the signature fails, and the next one tries anew. Why not the OpenSSL engine: docs/ca.md.
 *
 * Keys and the module live as long as the process. Any thread, after pkcs11_configure. */
#pragma once

#include "ca/keyfile.h"
#include "ca/secret.h"

/* The module's file, and where the PIN comes from (none of the three: the file `pin` in the CA's folder). Read when
 * they are needed. CONFLICT: other than before. module NULL: there is no module, and keys in tokens are refused. */
bool pkcs11_configure(const char *module, const struct secret_source *pin, const char *folder,
                      struct problem *p) must_use;

/* The key that a URI means (ca/pkcs11_uri.h). NOT_FOUND: no such key; CONFLICT: more than one; UNAUTHORIZED: the PIN;
 * UNAVAILABLE: the module or the token does not work, or is not there. */
bool pkcs11_key(const char *uri, EVP_PKEY **ret, struct problem *p) must_use;
/* The same; where there is none, one of this kind is made in the token, which it can never leave. */
bool pkcs11_key_complete(const char *uri, enum keyfile_kind kind, EVP_PKEY **ret, struct problem *p) must_use;

/* Why the last signature of this thread failed, when it was a token's: UNAVAILABLE is set, and true returned. */
bool pkcs11_trouble(struct problem *p);
