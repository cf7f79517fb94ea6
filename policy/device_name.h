/* Device name: the identifiers of types permanent-identifier and hardware-module
 * (draft-ietf-acme-device-attest-09, 3 and 4) and the otherNames that stand for them in certificates
 * (RFC 4043, 2; RFC 4108, 5).
 *
 * As an identifier the first is "value" or "value/OID of its assigner", the second "serial number/OID of the
 * hardware's type". They are the same exactly when their bytes are: nothing is normalized. Values; any thread. */
#pragma once

#include "policy/csr.h"

/* The production rules of 3.1 and 4.1. MALFORMED for what does not follow them; REJECTED_IDENTIFIER for what follows
 * them and is never certified here: control characters, and what is too long. */
bool device_name_check(enum identifier_type type, const char *value, struct problem *p) must_use;
/* The identifier that an otherName stands for. false: it is no device name, or none that can be ordered. */
bool device_name_read(const struct csr_other_name *other, struct identifier *ret) must_use;
/* The otherName of an identifier. ret->der is the caller's to free, also after a refusal. */
bool device_name_make(const struct identifier *name, struct csr_other_name *ret, struct problem *p) must_use;
/* Bytes of the value or the serial number, without the OID. */
size_t device_name_length(const struct identifier *name);
/* Whether the text is that value or serial number. */
bool device_name_is(const struct identifier *name, const char *text) must_use;
/* The name as policies write it (policy/csr.h, enum csr_other_type): of a hardware module "OID/hexadecimal". */
void device_name_policy(const struct identifier *name, char ret[IDENTIFIER_VALUE_SIZE]);
