/* Key package: a private key that was made here as its client gets it (RFC 7030, 4.4.2): as PKCS #8, or in a CMS that
 * is signed by the server and encrypted for the client (RFC 5958, RFC 5652, RFC 5083). All secrets are wiped.
 * Any thread. */
#pragma once

#include "est/call.h"
#include "policy/csr.h"
#include "store/audit.h"

/* How the key is to go: what the CSR says, held against what there is and what the profile allows, before a
 * key is made. */
struct key_package {
	struct bytes symmetric;        /* the wrapping key; empty: none. Borrowed */
	struct bytes symmetric_id;
	/* the same: what was found by it is known here by a text. NULL: none. Borrowed */
	const char *name;
	struct buf kept;               /* the wrapping key where it is of the store */
	X509 *recipient;               /* NULL: none */
	const EVP_CIPHER *cipher;      /* of the content */
	bool oaep;                     /* of an RSA recipient */
};
/* BAD_CSR; UNAUTHORIZED: there is no such key, it is not for encryption, or nobody must have a key in the clear. */
bool key_package_plan(const struct est_call *call, const struct csr_delivery *delivery, struct key_package *ret,
                      struct problem *p) must_use;
void key_package_done(struct key_package *package);
declare_auto_value(key_package, key_package_done);
bool key_package_is_plain(const struct key_package *package);
/* What the event of the issuance tells of it: how the key went, and with which key it was encrypted. Points
 * into the package. */
struct key_package_facts {
	struct audit_fact v[4];
};
void key_package_tell(const struct key_package *package, struct key_package_facts *ret);
/* Appends PKCS #8, or the CMS. */
bool key_package_write(const struct est_call *call, const struct key_package *package, EVP_PKEY *key, struct buf *ret,
                       struct problem *p) must_use;
