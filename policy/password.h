/* Password: what is kept of the passwords of EST's users, and what is held against it.
 *
 * A person's password is guessable, so it is kept by scrypt (RFC 7914) with 32 MiB and about a tenth of a second,
 * which is all that slows whoever has stolen the store. Two computations run at once in the process and few
 * wait, not for long: no flood of guesses takes more memory or threads than that. A device's secret is 128
 * random bits of our own; a keyed hash of it is as good, and costs nothing.
 *
 * For Digest (RFC 7616) the server must know HA1, from which a response can be made without the password: it
 * is a secret like the password itself. So it is kept only where somebody asked for it, and sealed. Any thread. */
#pragma once

#include "base/digest.h"
#include "store/enrollment.h"

enum {
	PASSWORD_MIN = 12, PASSWORD_MAX = 256,  /* bytes of a person's */
	PASSWORD_SALT_SIZE = 19,                /* log2 N, r, p, and 16 random bytes */
};
#define PASSWORD_REALM "enrolld"

/* A password, or a secret as password_secret_make makes them, as it is kept: hash, and salt of a password. */
bool password_keep(const char *password, uint8_t ret_salt[PASSWORD_SALT_SIZE], uint8_t ret_hash[SHA256_SIZE],
                   struct problem *p) must_use;
void password_keep_secret(const struct store *store, const char *user, const char *secret,
                          uint8_t ret_hash[SHA256_SIZE]);
/* RFC 7616, 3.4.2: HA1 in hexadecimal, of MD5 or SHA-256, sealed and appended. */
bool password_keep_digest(const struct store *store, const char *user, const char *password, bool sha256,
                          struct buf *ret, struct problem *p) must_use;

/* The record, good now, of the user with this password. A wrong one is told from an unknown user in nothing, the
 * time included. UNAUTHENTICATED; UNAVAILABLE when too many wait. */
bool password_check(struct store *store, const char *user, const char *password, int64_t now, struct enrollment *ret,
                    struct problem *p) must_use;
/* Only secrets, whose check costs nothing: false without a problem where it is not one's. */
bool password_check_secret(struct store *store, const char *user, const char *secret, int64_t now,
                           struct enrollment *ret, struct problem *p) must_use;
/* What a client says by Digest with qop=auth (RFC 7616, 3.4): all as it stands in its header. */
struct password_claim {
	const char *user, *method, *uri, *nonce, *nc, *cnonce;
	const char *response;   /* in hexadecimal, lower case */
	bool sha256;            /* or MD5 */
};
/* The record, good now, of the user who has made the response. As password_check. UNAUTHENTICATED. */
bool password_check_digest(struct store *store, const struct password_claim *claim, int64_t now, struct enrollment *ret,
                           struct problem *p) must_use;
