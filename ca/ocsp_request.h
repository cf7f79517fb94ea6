/* OCSP request: what a client asks (RFC 6960, 4.1), read with the reader of base/tlv.h.
 *
 * All is borrowed from the message. The signature of a signed request and the requestor's name are
 * not looked at (RFC 9919, 3.1.2). Any thread. */
#pragma once

#include "base/bytes.h"

enum {
	OCSP_CERTIFICATES_MAX = 32, /* RFC 9919, 3.1.1 wants one; each costs a look-up */
	OCSP_NONCE_MAX = 128,       /* RFC 9654, 2.1 */
};

enum ocsp_hash { OCSP_SHA1, OCSP_SHA256, OCSP_SHA384, OCSP_SHA512, OCSP_HASH_MAX };
enum { OCSP_HASH_SIZE_MAX = 64 };
struct ocsp_hash_kind {
	const char *name; /* libcrypto's */
	size_t size;
	struct bytes oid; /* the content of an OBJECT IDENTIFIER */
};
extern const struct ocsp_hash_kind ocsp_hashes[OCSP_HASH_MAX];


/* CertID. */
struct ocsp_certificate {
	struct bytes whole;                /* DER, to be sent back as it came */
	enum ocsp_hash hash;               /* OCSP_HASH_MAX: another one */
	struct bytes name_hash, key_hash;
	struct bytes serial;               /* without leading zeros; empty when it is not positive */
};
struct ocsp_request {
	struct ocsp_certificate certificates[OCSP_CERTIFICATES_MAX];
	size_t count;                      /* 1 or more */
	struct bytes nonce;                /* empty: there is none */
};
/* MALFORMED: no such message, or a nonce of a wrong length. UNAUTHORIZED: too many certificates, or a
 * critical extension that is not known here. */
bool ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct problem *p) must_use;
