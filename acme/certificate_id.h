/* CertID: how renewal information names a certificate (RFC 9773, 4.1): the key identifier of its
 * authority and its serial number, both in base64url. Values; any thread. Internal to acme/, and for
 * tests. */
#pragma once

#include "base/bytes.h"

enum {
	CERTIFICATE_ID_KEY_MAX = 64,
	CERTIFICATE_ID_SERIAL_MAX = 20,   /* RFC 5280, 4.1.2.2 */
};
struct certificate_id {
	uint8_t key_id[CERTIFICATE_ID_KEY_MAX];
	size_t key_id_len;
	uint8_t serial[CERTIFICATE_ID_SERIAL_MAX]; /* the number, without leading zero byte, as the store has it */
	size_t serial_len;
};
/* Strict: base64url without padding and with no other spelling of the same bytes; a serial number in
 * DER, positive and as short as can be. Two texts never name one certificate. MALFORMED; the text says
 * "replaces" where field does. */
bool certificate_id_parse(const char *text, const char *field, struct certificate_id *ret, struct problem *p) must_use;
/* The same name as text, appended. */
void certificate_id_write(struct bytes key_id, struct bytes serial, struct buf *ret);
