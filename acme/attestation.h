/* Attestation: what a device's hardware says of a key, of itself and of this challenge
 * (draft-ietf-acme-device-attest-09, 5; WebAuthn Level 3, 6.5 and 8).
 *
 * An attestation object names its format; a format is accepted where roots are given for it, and roots of one
 * format vouch for no other. What is accepted has a chain to these roots that is valid at the judged time, is
 * fresh for this challenge, and names a device and a key. Whether these are the order's identifier and the
 * CSR's key is for the caller. The object itself is never kept (the draft, 7.2). Values; any thread. Internal
 * to acme/. */
#pragma once

#include "base/ossl.h"
#include "base/tlv.h"
#include "policy/trust.h"

/* WebAuthn Level 3, 8.2, 8.3, 8.4, 8.8; "step" is step-ca's own, of YubiKeys' PIV attestation. */
#define ATTESTATION_FORMATS(X)                     \
	X(TPM, "tpm", tpm)                         \
	X(APPLE, "apple", apple)                   \
	X(ANDROID_KEY, "android-key", android_key) \
	X(PACKED, "packed", packed)                \
	X(STEP, "step", step)

enum attestation_format {
#define X(upper, name, lower) ATTESTATION_##upper,
	ATTESTATION_FORMATS(X)
#undef X
	ATTESTATION_FORMAT_MAX,
};
const char *attestation_format_name(enum attestation_format format);
bool attestation_format_from(const char *name, enum attestation_format *ret) must_use;

/* NULL: that format is refused. Borrowed. */
struct attestation_rules {
	const struct trust *roots[ATTESTATION_FORMAT_MAX];
};

/* One thing that the device is called. */
struct attestation_name {
	bool hardware;              /* hardware-module; otherwise permanent-identifier */
	char value[256];            /* without "/" */
	char oid[TLV_OID_SIZE];     /* of the assigner, or the hardware's type; "" : none was said */
};
enum { ATTESTATION_NAMES_MAX = 8, ATTESTATION_OBJECT_MAX = 40 * 1024 };

/* What was proven. */
struct attestation {
	enum attestation_format format;
	struct attestation_name names[ATTESTATION_NAMES_MAX];
	size_t name_count;          /* at least 1 */
	struct buf key;             /* the attested key: SubjectPublicKeyInfo, DER as OpenSSL writes it */
};
void attestation_free(struct attestation *attestation);
declare_auto_value(attestation, attestation_free);

/* object: the CBOR. key_authorization: token, ".", thumbprint (RFC 8555, 8.1). BAD_ATTESTATION says which
 * format, what was wanted and what came. */
bool attestation_judge(const struct attestation_rules *rules, struct bytes object, struct bytes key_authorization,
                       int64_t now, struct attestation *ret, struct problem *p) must_use;

/* Whether the order's identifier is one of the device's names: octet for octet; an identifier without an
 * assigner is the device's whoever assigned it. type: "permanent-identifier" or "hardware-module", value as in
 * the order. BAD_ATTESTATION lists what the attestation names. */
bool attestation_check_name(const struct attestation *attestation, const char *type, const char *value,
                            struct problem *p) must_use;
