/* PKCS#11 URI: which key of which token is meant (RFC 7512). Values; any thread. */
#pragma once

#include "base/bytes.h"

/* Attributes are NULL where the URI does not name them. */
struct pkcs11_uri {
	char *token, *manufacturer, *serial, *model; /* of the token (RFC 7512, 2.3) */
	char *object;                                /* CKA_LABEL */
	struct buf id;                               /* CKA_ID; len 0: not named */
	bool has_slot;
	unsigned long slot;                          /* slot-id */
};
/* MALFORMED: no such URI; one that names no key, or no token; one with a PIN in it, or with an attribute that is
 * not known, which would be overlooked. */
bool pkcs11_uri_parse(const char *text, struct pkcs11_uri *ret, struct problem *p) must_use;
void pkcs11_uri_free(struct pkcs11_uri *uri);
declare_auto_value(pkcs11_uri, pkcs11_uri_free);
