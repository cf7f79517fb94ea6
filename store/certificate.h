/* Certificate: a row of the inventory, one for each certificate that any method issued. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

enum certificate_status { CERTIFICATE_VALID, CERTIFICATE_REVOKED };
/* Status in words at time now: "valid", "expired", "revoked". */
struct certificate;
const char *certificate_status_name(const struct certificate *certificate, int64_t now);

struct certificate_name {
	const char *type;       /* "dns", "ip", "email", "uri", ... and "cn" */
	const char *value;      /* canonical */
};
struct certificate {
	void *memory;
	char id[RANDOM_ID_SIZE];
	enum certificate_status status;
	struct bytes der;
	const char *issuer;             /* id of the issuer that signed it (ca/issuer.h) */
	struct bytes serial;            /* big-endian, no leading zero byte */
	struct bytes fingerprint;       /* SHA-256 of der */
	struct bytes key_hash;          /* SHA-256 of its SubjectPublicKeyInfo */
	struct record_list names;       /* struct certificate_name */
	const char *subject;            /* RFC 4514 text */
	const char *profile;
	int64_t not_before, not_after, issued;
	const char *method;             /* "acme", "est", "api", "internal" */
	char account[RANDOM_ID_SIZE];   /* "" unless acme */
	char order[RANDOM_ID_SIZE];
	const char *identity;           /* who asked, in words; NULL for acme */
	int64_t revoked;                /* when; 0: not */
	int64_t reason;                 /* RFC 5280, 5.3.1; meaningful when revoked */
	const char *revoked_by;         /* "account ID", "certificate key", "operator NAME" */
	const char *replaces, *replaced_by; /* ids, renewal links */
};
void certificate_free(struct certificate *certificate);
declare_auto_value(certificate, certificate_free);

bool store_certificate_get(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p) must_use;
bool store_certificate_by_serial(struct store_txn *txn, struct bytes serial, struct certificate *ret, struct problem *p) must_use;
bool store_certificate_by_fingerprint(struct store_txn *txn, struct bytes fingerprint, struct certificate *ret, struct problem *p) must_use;
/* New or changed; keeps all indexes: serial (CONFLICT when another has it), fingerprint, key,
 * names, account, profile, expiry, and the revoked of an issuer. */
bool store_certificate_put(struct store_txn *txn, const struct certificate *certificate, struct problem *p) must_use;

/* Listings; value NULL where the index has none. */
enum certificate_index {
	CERTIFICATE_ALL,        /* by id */
	CERTIFICATE_BY_NAME,    /* value "dns:www.example.com" */
	CERTIFICATE_BY_KEY,     /* value: hex of key_hash */
	CERTIFICATE_BY_ACCOUNT, /* value: account id */
	CERTIFICATE_BY_PROFILE, /* value: profile */
	CERTIFICATE_BY_EXPIRY,  /* soonest first; value: RFC 3339 time to begin at, or NULL */
	CERTIFICATE_REVOKED_OF, /* value: issuer id */
};
bool store_certificate_list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                            size_t limit, struct store_page *ret, struct problem *p) must_use;
/* Whether a certificate of this key (SHA-256 of its SubjectPublicKeyInfo) was revoked for keyCompromise. */
bool store_certificate_compromised(struct store_txn *txn, struct bytes key_hash, bool *ret, struct problem *p) must_use;
/* The revoked certificates of an issuer that expire, or were revoked, at since or later; soonest first. */
bool store_certificate_revoked(struct store_txn *txn, const char *issuer, int64_t since, const char *after,
                               size_t limit, struct store_page *ret, struct problem *p) must_use;
