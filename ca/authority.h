/* Authority: certificates of CAs, and requests for them, made and signed through the X509 calls with a key that
 * is at hand: never through ca/signer.h, which signs what was approved. ca/authority.c alone refers to
 * X509_sign (make arch). Any thread. */
#pragma once

#include "base/ossl.h"

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
};
void authority_free(struct authority *authority);
declare_auto_value(authority, authority_free);

enum { AUTHORITY_BACKDATE = 24 * 3600 }; /* clocks lag */

/* What is to be certified; all of it borrowed. */
struct authority_wish {
	const X509_NAME *subject;
	EVP_PKEY *key;                           /* the public half is looked at */
	const ASN1_OCTET_STRING *key_id;         /* the one this key had before; NULL: made of the key */
	int64_t not_before, not_after;
	int path_length;                         /* RFC 5280, 4.2.1.9; -1: no limit */
	NAME_CONSTRAINTS *names;                 /* NULL: none */
	const char *base, *by;                   /* pointers: issuer_urls.base and the id of who signs; NULL: none */
};
/* A Name of O (NULL: none) and CN. */
bool authority_name(const char *organization, const char *common_name, X509_NAME **ret, struct problem *p) must_use;
/* An attribute of the Name, in the place of the one that it has or at its end: of 1 to 64 characters, each of which can
 * be seen. MALFORMED. All names of CAs that are made here pass it. */
bool authority_name_set(X509_NAME *name, int nid, const char *value, struct problem *p) must_use;
/* Signs. by NULL: the wish's own key does, and the certificate is a root. */
bool authority_certify(const struct authority_wish *wish, const struct authority *by, X509 **ret,
                       struct problem *p) must_use;
/* A CSR with what a CA's certificate needs as extensionRequest (RFC 2985, 5.4.2), for another CA to sign. */
bool authority_request(const struct authority_wish *wish, X509_REQ **ret, struct problem *p) must_use;

/* The wish that is the same again: subject, key and its id, path length. Names of the certificate are the
 * caller's to copy. */
struct authority_wish authority_wish_like(X509 *certificate);
bool authority_not_after(X509 *certificate, int64_t *ret, struct problem *p) must_use;
/* Seconds that it lasts, the backdating not counted. false: none, or its dates cannot be read. */
bool authority_lifetime(X509 *certificate, int64_t *ret) must_use;
