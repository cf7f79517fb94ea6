/* Key: how the keys of the store are laid out. Internal to store/.
 *
 * The first byte is the class, and with it the layout of the rest. An id is its 16 raw bytes; a
 * time is 5 bytes of seconds, highest first, and `newest` is a time turned round so that the
 * newest comes first; a text ends with a zero byte, and a long one is its digest. An index entry
 * ends with the id of its record and has no value; a unique one has the id as its value. */
#pragma once

#include "base/random.h"
#include "store/kv.h"

/* class, first byte, layout after it */
#define KEY_CLASSES(X)                                                             \
	X(META, 'M', "text: facts of the store itself")                            \
	X(ACCOUNT, 'A', "id -> account")                                           \
	X(ACCOUNT_KEY, 'a', "directory text, thumbprint -> id")                    \
	X(ACCOUNT_ENDING, 'n', "id; those deactivated, with work that is not cancelled yet") \
	X(ORDER, 'O', "id -> order")                                               \
	X(ORDER_ACCOUNT, 'o', "account id, newest, id; those not invalid")         \
	X(ORDER_WAITING, 'w', "authorization id, id; those pending, ready or auto-renewed") \
	X(ORDER_STAR, 'H', "time of the next certificate, id; those auto-renewed")  \
	X(AUTHORIZATION, 'Z', "id -> authorization")                               \
	X(AUTHORIZATION_NAME, 'z', "account id, digest of the identifier, newest, id") \
	X(AUTHORIZATION_BUSY, 'b', "id; those with a challenge in processing")     \
	X(AUTHORIZATION_PENDING, 'd', "account id, id; those pending")             \
	X(EXPIRY, 'x', "time, kind byte, id")                                      \
	X(CERTIFICATE, 'C', "id -> certificate")                                   \
	X(CERTIFICATE_SERIAL, 's', "serial -> id; where they differ")              \
	X(CERTIFICATE_FINGERPRINT, 'V', "8 bytes of SHA-256, id")                  \
	X(CERTIFICATE_NAME, 'B', "8 bytes of the SHA-256 of the value, time, id")  \
	X(CERTIFICATE_KEY, 'D', "8 bytes of SHA-256, time, id")                    \
	X(CERTIFICATE_ACCOUNT, 'G', "account id, or 16 bytes of the SHA-256 of who asked, time, id") \
	X(CERTIFICATE_PROFILE, 'L', "profile text, time, id")                      \
	X(CERTIFICATE_EXPIRY, 'e', "time, id")                                     \
	X(CERTIFICATE_REVOKED, 'r', "issuer text, when it stops to matter, id")    \
	X(CERTIFICATE_RELEASED, 'l', "issuer text, time, id; those that were on hold") \
	X(CERTIFICATE_COMPROMISED, 'K', "SHA-256 of the key, id; those revoked for keyCompromise") \
	X(CERTIFICATE_IMPORT, 'S', "serial of an imported one, newest, id")        \
	X(CERTIFICATE_RENEWAL, 'y', "time of the server's next try, id")           \
	X(REQUEST_ORDER, 'J', "order id -> id")                                    \
	X(REQUEST_DUE, 'j', "id; those to be carried out")                         \
	X(REQUEST_WAITER, 'h', "SHA-256 of who waits, and where, and with which key -> id") \
	X(REVOCATION, 'R', "issuer text -> what is known of its revocations")      \
	X(AUTHORITY, 'I', "issuer text -> what operators decided about a CA")      \
	X(EAB, 'E', "kid text -> external account binding key")                    \
	X(REQUEST, 'Q', "id -> request")                                           \
	X(REQUEST_NEWEST, 'q', "newest, id")                                       \
	X(REQUEST_STATE, 'v', "state byte, newest, id; those not issued")          \
	X(TOKEN, 'T', "id -> API token")                                           \
	X(TOKEN_KEY, 't', "SHA-256 of a client's key -> id; those not revoked")           \
	X(ENROLLMENT, 'N', "id -> enrollment code")                              \
	X(PRIVATE_KEY, 'P', "text: SHA-256 of its SubjectPublicKeyInfo, hexadecimal -> private key") \
	X(WEBHOOK, 'W', "id -> webhook")                                         \
	X(ENROLLMENT_NAME, 'g', "kind byte, user name or serial number -> id")   \
	X(REFERENCE, 'X', "number, 4 bytes -> a value that others are deltas to")      \
	X(REFERENCE_KIND, 'Y', "class byte, kind text -> the number of its reference, and how many it had") \
	X(AUDIT, 'U', "number, 8 bytes, highest first -> event")

enum key_class {
#define X(name, byte, layout) KEY_##name = byte,
	KEY_CLASSES(X)
#undef X
};

enum { KEY_ID_SIZE = 16, KEY_TIME_SIZE = 5 };

struct key {
	size_t len;
	uint8_t v[KV_KEY_MAX];
};

void key_begin(struct key *key, enum key_class class);
void key_add(struct key *key, struct bytes part);
/* false: not an id as random_id makes them, so nothing can be stored under it. */
bool key_add_id(struct key *key, const char *id) must_use;
void key_add_time(struct key *key, int64_t t);
void key_add_newest(struct key *key, int64_t t);
void key_add_text(struct key *key, const char *text);
struct bytes key_bytes(const struct key *key);

/* A number in so many bytes, highest first, as it stands in keys and values. */
void key_put_number(uint64_t n, uint8_t *ret, size_t size);
uint64_t key_number(const uint8_t *from, size_t size) must_use;
/* An id from its 16 raw bytes and back; false: not an id. */
void key_id_text(const uint8_t raw[KEY_ID_SIZE], char ret[RANDOM_ID_SIZE]);
bool key_id_raw(const char *id, uint8_t ret[KEY_ID_SIZE]) must_use;
int64_t key_time(const uint8_t raw[KEY_TIME_SIZE]);
