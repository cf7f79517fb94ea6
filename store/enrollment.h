/* Enrollment: a credential with which devices enroll over EST: a code, a password, a device's secret, or the
 * word that a device with a manufacturer's certificate is known. Of a secret only what checks it is kept:
 * policy/enrollment_code.h and policy/password.h make it and hold what is shown against it. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

/* name, as it is written, what it is */
#define ENROLLMENT_KINDS(X)                                                                               \
	X(CODE, "code", "a code: shown a few times, kept as a keyed hash")                                \
	X(PASSWORD, "password", "a person's user name and password, kept by scrypt")                      \
	X(SECRET, "secret", "a device's user name and random secret, kept as a keyed hash")               \
	X(DEVICE, "device", "a device that shows its manufacturer's certificate: no secret")               \
	X(WRAPPING, "wrapping-key", "a key that keys made here are encrypted with: it lets nobody in")

enum enrollment_kind {
#define X(name, text, meaning) ENROLLMENT_##name,
	ENROLLMENT_KINDS(X)
#undef X
	ENROLLMENT_KIND_MAX,
};
const char *enrollment_kind_name(enum enrollment_kind kind);

struct enrollment {
	void *memory;
	char id[RANDOM_ID_SIZE];
	enum enrollment_kind kind;
	struct bytes hash;            /* code, secret: HMAC-SHA-256 of the whole, with a key of the store's seal;
	                               * password: scrypt's result; device: empty; wrapping key: itself, sealed */
	struct bytes salt;            /* of scrypt */
	const char *user;             /* password, secret: the user name; NULL without */
	const char *device;           /* serial number of the device it is for, which its names are bound to; NULL: none */
	const char *certificate;      /* serial number of that device's certificate, hexadecimal; NULL: any */
	struct bytes digest_md5;      /* HA1 of RFC 7616, 3.4.2, sealed; empty: Digest is not for this one */
	struct bytes digest_sha256;
	const char *profile;          /* the one it counts in */
	struct record_texts names;    /* patterns, "dns:**.example.com"; none: whatever the profile allows */
	const char *note;             /* whose it is, in words */
	int64_t created, expires;     /* expires 0: never */
	int64_t uses, uses_max;       /* certificates it gave; 0: any number */
	int64_t revoked;              /* when; 0: not */
	int64_t used;                 /* when it last gave one; 0: never */
};
void enrollment_free(struct enrollment *enrollment);
declare_auto_value(enrollment, enrollment_free);

bool store_enrollment_get(struct store_txn *txn, const char *id, struct enrollment *ret, struct problem *p) must_use;
/* The one, not revoked, with this user name. */
bool store_enrollment_by_user(struct store_txn *txn, const char *user, struct enrollment *ret,
                              struct problem *p) must_use;
/* The one of kind device, revoked or not, for this device, or for the certificate of this serial number. */
bool store_enrollment_by_device(struct store_txn *txn, const char *device, struct enrollment *ret,
                                struct problem *p) must_use;
bool store_enrollment_by_certificate(struct store_txn *txn, const char *serial, struct enrollment *ret,
                                     struct problem *p) must_use;
/* New or changed. CONFLICT when another has the user name, the device or the certificate. */
bool store_enrollment_put(struct store_txn *txn, const struct enrollment *enrollment, struct problem *p) must_use;
bool store_enrollment_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                           struct problem *p) must_use;
