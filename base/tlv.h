/* TLV: a reader of DER (X.690, 10): definite lengths in their shortest form, low tag numbers.
 *
 * All it shows is borrowed from its input, and each function takes from the front of the input
 * what it shows. Every CSR is read with it, and in no other way: what is not DER is refused, so a
 * CSR has one reading. Any thread. */
#pragma once

#include "base/bytes.h"

enum {
	TLV_BOOLEAN = 0x01, TLV_INTEGER = 0x02, TLV_BIT_STRING = 0x03, TLV_OCTET_STRING = 0x04, TLV_NULL = 0x05,
	TLV_OID = 0x06, TLV_ENUMERATED = 0x0a, TLV_UTC_TIME = 0x17, TLV_GENERALIZED_TIME = 0x18, TLV_SEQUENCE = 0x30,
	TLV_SET = 0x31,
};
#define TLV_CONTEXT(n) (0x80 | (n))             /* [n] IMPLICIT, primitive */
#define TLV_CONTEXT_CONSTRUCTED(n) (0xa0 | (n)) /* [n], constructed */

struct tlv {
	uint8_t tag;
	struct bytes value; /* the content */
	struct bytes whole; /* tag and length too */
};
/* The next element. false: there is none, or it is not DER; in is unchanged. */
bool tlv_next(struct bytes *in, struct tlv *ret) must_use;
/* The content of the next element, which must have this tag. */
bool tlv_take(struct bytes *in, uint8_t tag, struct bytes *ret) must_use;
/* The content of an element that is all there is in `in`. */
bool tlv_only(struct bytes in, uint8_t tag, struct bytes *ret) must_use;
/* The content of the next element, [n] EXPLICIT, of whatever number n (X.690, 8.1.2.4). */
bool tlv_take_numbered(struct bytes *in, uint32_t *ret_number, struct bytes *ret) must_use;

enum { TLV_OID_SIZE = 64 };
/* Content of an OBJECT IDENTIFIER as dotted text. false: malformed, or over 63 characters. */
bool tlv_oid_text(struct bytes oid, char ret[TLV_OID_SIZE]) must_use;
