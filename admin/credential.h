/* Credential: those of EST (store/enrollment.h), as operators make, show and end them, by command and by the API.
 * Internal to admin/. Any thread. */
#pragma once

#include "admin/actor.h"
#include "base/json.h"
#include "store/enrollment.h"

struct credential_wish {
	enum enrollment_kind kind;
	const char *profile;          /* NULL: a device's, of any that its label leads to */
	const struct strings *names;  /* patterns; NULL: none */
	const char *user, *password;  /* password: of kind password alone */
	const char *device, *certificate;
	const char *note;
	int64_t expires, uses_max;    /* 0: never, any */
	bool digest_md5, digest_sha256; /* what Digest needs is kept too */
};
enum { CREDENTIAL_SECRET_SIZE = 72 };

/* MALFORMED says which part of the wish makes no sense; CONFLICT: there is one for this user or device. ret_secret: the
 * code, secret or wrapping key, which is told once; "" of the other kinds. The caller wipes it, and frees ret. */
bool credential_make(struct store *store, const struct credential_wish *wish, const struct actor *actor,
                     struct enrollment *ret, char ret_secret[CREDENTIAL_SECRET_SIZE], struct problem *p) must_use;
/* By its id, or as "device:SERIAL", "certificate:HEX", "user:NAME". NOT_FOUND; MALFORMED. The caller frees ret. */
bool credential_find(struct store_txn *txn, const char *name, struct enrollment *ret, struct problem *p) must_use;
/* The same; ALREADY_REVOKED. */
bool credential_revoke(struct store *store, const char *name, const struct actor *actor, struct enrollment *ret,
                       struct problem *p) must_use;
/* "valid", "revoked", "expired", "used up" */
const char *credential_status(const struct enrollment *enrollment, int64_t now);
/* What its secret is called: "code", "secret", "key" */
const char *credential_secret_name(enum enrollment_kind kind);
/* Appends it as an object; secret NULL: without. */
void credential_json(const struct enrollment *enrollment, const char *secret, int64_t now, struct buf *ret);

/* The parts of a wish, each MALFORMED. */
bool credential_kind_from(const char *text, enum enrollment_kind *ret) must_use;
bool credential_user_check(const char *user, struct problem *p) must_use;
bool credential_device_check(const char *device, struct problem *p) must_use;
/* "0A:1b" as "0a1b"; without leading zeros. */
bool credential_certificate_read(const char *text, struct buf *ret, struct problem *p) must_use;
/* A fresh id that can be typed where a value must not look like an option. */
bool credential_id(char ret[RANDOM_ID_SIZE], struct problem *p) must_use;
