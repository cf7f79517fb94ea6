/* DER: a writer of definite-length DER into a buffer, enough to build certificates, CRLs, OCSP
 * answers and CMS without the X509 calls (measured: docs/performance.md).
 *
 * Nested values are written inside out without copying twice: der_open remembers where the value
 * begins, der_close puts its length in place. One thread. */
#pragma once

#include "base/bytes.h"
#include "base/tlv.h" /* the names of tags */

enum { DER_DEPTH_MAX = 16 };
struct der {
	struct buf *out;
	size_t start[DER_DEPTH_MAX];
	unsigned depth;
};
struct der der_writer(struct buf *out);
void der_open(struct der *d, uint8_t tag);                       /* TLV_SEQUENCE, TLV_CONTEXT_CONSTRUCTED(0), ... */
void der_close(struct der *d);
void der_put(struct der *d, uint8_t tag, struct bytes content);
void der_put_buf(struct der *d, uint8_t tag, const struct buf *content); /* what has failed fails here too */
void der_put_raw(struct der *d, struct bytes der);               /* whole TLVs */
void der_put_integer(struct der *d, struct bytes magnitude);     /* unsigned big-endian; made minimal and positive */
void der_put_oid(struct der *d, const char *dotted);             /* asserts a valid OID */
void der_put_bool(struct der *d, bool value);
/* UTCTime to 2049, then GeneralizedTime (RFC 5280, 4.1.2.5) */
void der_put_time(struct der *d, int64_t t);
void der_put_generalized_time(struct der *d, int64_t t);         /* whatever the year (RFC 6960, 4.2.2.1) */
/* Named bits: 1u << n is bit n of the type. Trailing zeros are dropped (X.690, 11.2.2). */
void der_put_bits(struct der *d, unsigned bits, unsigned count);
