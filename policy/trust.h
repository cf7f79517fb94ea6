/* Trust: the certificates of manufacturers, and whether a device's chain leads to one of them (RFC 5280, 6;
 * IEEE 802.1AR for IDevIDs).
 *
 * Every certificate of the files is an anchor, whether a root or not; of an anchor only name and key count, its
 * dates do not (RFC 5280, 6.1.1). Signatures by MD5 or SHA-1 and keys below 112 bits are no proof. A `struct trust`
 * is immutable. Any thread. */
#pragma once

#include "base/ossl.h"

struct trust;

enum {
	TRUST_ANCHORS_MAX = 2000,     /* in all files */
	TRUST_FILE_MAX = 4 * 1024 * 1024,
	TRUST_CHAIN_MAX = 8,          /* certificates that a client may show, its own among them */
	TRUST_CHAIN_BYTES = 32 * 1024,
	TRUST_DEPTH_MAX = 5,          /* CA certificates between its own and the anchor */
};
/* PEM files; each has a certificate at least. MALFORMED or NOT_FOUND names the file. */
bool trust_load(const struct strings *files, struct trust **ret, struct problem *p) must_use;
/* The same of a text; name is for the refusal. */
bool trust_from_pem(const char *name, struct bytes pem, struct trust **ret, struct problem *p) must_use;
void trust_free(struct trust *trust);
declare_auto_struct(trust, trust_free);

/* Whether a device's serial number is a text that names, patterns and lists can be made of: printable ASCII, spaces
 * only within (as "PID:C9300 SN:FCW1"), none of * { } , " and \. */
bool trust_serial_check(const char *serial) must_use;

/* A device as its manufacturer names it. */
struct trust_device {
	char serial[128];          /* serialNumber of the subject, or else what its hardwareModuleName says; never "" */
	char certificate[64];      /* serial number of the certificate, hexadecimal */
	struct strings others;     /* names of its subjectAltName of other types than a host has: DER in hexadecimal */
};
void trust_device_free(struct trust_device *device);
declare_auto_value(trust_device, trust_device_free);

/* The certificates that lead from the client's own, first, to an anchor, last, each signed by the next, of a chain
 * (DER, the client's own first). Whom and what it is for is not looked at. UNAUTHENTICATED: another text for each
 * reason. */
bool trust_path(const struct trust *trust, const struct bytes *chain, size_t count, int64_t now, ossl_x509_stack **ret,
                struct problem *p) must_use;
/* That, and the device that the client's own names, which must be for clients. */
bool trust_check(const struct trust *trust, const struct bytes *chain, size_t count, int64_t now,
                 struct trust_device *ret, struct problem *p) must_use;
