/* Certificate: a row of the inventory, one for each certificate that any method issued, and for each of
 * another CA that was imported so that it is known here. */
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
struct certificate_metadata {
	const char *key, *value; /* the operators' own words */
};
#define CERTIFICATE_IMPORT "import"     /* the method of one that another CA issued */
struct certificate {
	void *memory;
	char id[RANDOM_ID_SIZE];
	enum certificate_status status;
	struct bytes der;
	const char *issuer;             /* id of the issuer that signed it (ca/issuer.h); "" of an imported one */
	struct bytes serial;            /* big-endian, no leading zero byte */
	struct bytes fingerprint;       /* SHA-256 of der */
	struct bytes key_hash;          /* SHA-256 of its SubjectPublicKeyInfo */
	struct record_list names;       /* struct certificate_name */
	const char *subject;            /* RFC 4514 text */
	const char *profile;
	int64_t not_before, not_after, issued;
	int64_t issued_us;              /* microseconds since: the order of those of one second; of what was issued before it was kept, 0 */
	const char *method;             /* "acme", "est", "api", "internal", "import" */
	char account[RANDOM_ID_SIZE];   /* "" unless acme */
	char order[RANDOM_ID_SIZE];
	const char *identity;           /* who asked, in words; NULL for acme */
	int64_t revoked;                /* when; 0: not */
	int64_t reason;                 /* RFC 5280, 5.3.1; meaningful when revoked */
	const char *revoked_by;         /* "account ID", "certificate key", "operator NAME" */
	int64_t released;               /* from hold, when; 0: not, or revoked again since */
	int64_t reason_changed;         /* when another reason took the first one's place, revoked staying as it was; 0: not */
	const char *label;              /* of EST: where it was asked for; NULL: elsewhere, or without a label */
	const char *replaces, *replaced_by; /* ids, renewal links */
	struct record_list metadata;    /* struct certificate_metadata */
	const char *issuer_subject;     /* of an imported one, RFC 4514 text */
	bool key_kept;                  /* the server has its private key (store/private_key.h) */
	int64_t renew_before;           /* seconds before not_after at which the server renews it; 0: it does not */
	int64_t renew_at;               /* the next try; 0: none is to come */
	int64_t renew_failures;         /* tries that failed, one after the other */
	const char *renew_error;        /* why the last one did; NULL */
	int64_t advised_from, advised_until; /* when an operator wants its client to renew it (RFC 9773); 0: as the profile says */
	const char *advised_why;        /* URL of a page that says why; NULL */
	bool no_revocation;             /* noRevAvail (RFC 9608): no list and no responder tells of it, revoked or not */
	char replacing[RANDOM_ID_SIZE]; /* the order that says it replaces it (RFC 9773); "": none */
	int64_t shard;                  /* which of its issuer's CRLs it would be on: its own URL says the same */
};
void certificate_free(struct certificate *certificate);
declare_auto_value(certificate, certificate_free);
/* A copy that owns all it points to. */
bool certificate_copy(const struct certificate *from, struct certificate *ret, struct problem *p) must_use;
bool certificate_is_imported(const struct certificate *certificate) must_use;

/* What we issue has serial numbers of 20 octets, as many as there may be (RFC 5280, 4.1.2.2): 31 bits of the time in
 * seconds, in order until 2088, and 128 random ones. The first 16 octets are its id, so its row is found without an
 * index, and rows, numbers and lists of revoked ones stand in the order of time. */
enum { CERTIFICATE_SERIAL_SIZE = 20 };
bool certificate_serial_make(int64_t now, uint8_t ret[CERTIFICATE_SERIAL_SIZE], struct problem *p) must_use;
/* The id that goes with a serial number; false: a serial number that is not one of these. */
bool certificate_serial_id(struct bytes serial, char ret[RANDOM_ID_SIZE]) must_use;

bool store_certificate_get(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p) must_use;
/* One of our own: the serial number of an imported one is its CA's matter, and may be anything. */
bool store_certificate_by_serial(struct store_txn *txn, struct bytes serial, struct certificate *ret,
                                 struct problem *p) must_use;
bool store_certificate_by_fingerprint(struct store_txn *txn, struct bytes fingerprint, struct certificate *ret,
                                      struct problem *p) must_use;
/* New or changed; keeps all indexes: serial where it is not the id (CONFLICT when another has it), fingerprint,
 * key, names, account or identity, profile, expiry, and the revoked of an issuer. */
bool store_certificate_put(struct store_txn *txn, const struct certificate *certificate, struct problem *p) must_use;
/* New alone: CONFLICT when there is one of its id. */
bool store_certificate_add(struct store_txn *txn, const struct certificate *certificate, struct problem *p) must_use;

/* Changes of one row, in the caller's update; ret, unless NULL, is the row as it is afterwards. */

/* The renewal link of the old one; that of the new one is put with it. ALREADY_REPLACED. Renewals by
 * the server are over for the old one. */
bool store_certificate_replace(struct store_txn *txn, const char *old_id, const char *new_id,
                               struct problem *p) must_use;
/* The order that is to replace it; "" takes the mark away. */
bool store_certificate_replacing(struct store_txn *txn, const char *id, const char *order, struct problem *p) must_use;
/* The operators' words about it, and whether the server renews it (renew_before, renew_at). */
struct certificate_settings {
	const struct record_list *metadata; /* NULL: as it is */
	const int64_t *renew_before;        /* NULL: as it is */
};
bool store_certificate_set(struct store_txn *txn, const char *id, const struct certificate_settings *settings,
                           struct certificate *ret, struct problem *p) must_use;
/* The time in which clients are asked to renew it (RFC 9773, 4.2), in place of its profile's. */
struct certificate_advice {
	int64_t from, until;                /* 0: the profile's again */
	const char *why;                    /* URL; NULL */
};
bool store_certificate_advise(struct store_txn *txn, const char *id, const struct certificate_advice *advice,
                              struct problem *p) must_use;
/* A try of the server's to renew it has failed; the next is at renew_at. */
bool store_certificate_renewal_failed(struct store_txn *txn, const char *id, int64_t renew_at, const char *why,
                                      struct problem *p) must_use;
/* It waits for something else than time: the next try is at renew_at, and nothing has failed. */
bool store_certificate_renewal_waits(struct store_txn *txn, const char *id, int64_t renew_at, const char *why,
                                     struct problem *p) must_use;
/* The server tries then. CONFLICT: it does not renew it. */
bool store_certificate_renew_at(struct store_txn *txn, const char *id, int64_t renew_at, struct problem *p) must_use;
/* The server has its key no more: it does not renew it either. */
bool store_certificate_key_forgotten(struct store_txn *txn, const char *id, struct problem *p) must_use;
/* An imported one alone: what we issued stays, for CRL and OCSP. CONFLICT. */
bool store_certificate_delete(struct store_txn *txn, const char *id, struct problem *p) must_use;
/* Those whose time to be renewed by the server has come, up to limit. */
bool store_certificate_renewals(struct store_txn *txn, int64_t now, size_t limit, struct strings *ret,
                                struct problem *p) must_use;

/* Listings; value NULL where the index has none. */
enum certificate_index {
	CERTIFICATE_ALL,        /* by id */
	CERTIFICATE_BY_NAME,    /* value "dns:www.example.com" */
	CERTIFICATE_BY_KEY,     /* value: hex of key_hash */
	CERTIFICATE_BY_ACCOUNT, /* value: account id */
	CERTIFICATE_BY_IDENTITY, /* value: who asked, of those without an account: a device, a user, an operator */
	CERTIFICATE_BY_PROFILE, /* value: profile */
	CERTIFICATE_BY_EXPIRY,  /* soonest first; value: RFC 3339 time to begin at, or NULL */
	CERTIFICATE_REVOKED_OF, /* value: issuer id */
	CERTIFICATE_ALL_REVOKED, /* those of each issuer together */
	CERTIFICATE_RENEWALS,   /* those that the server renews, soonest first */
	CERTIFICATE_IMPORTED,   /* value: hex of the serial number of imported ones */
};
bool store_certificate_list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                            size_t limit, struct store_page *ret, struct problem *p) must_use;
/* The cursor that stands for the certificate in a listing that it is in: what comes after it. */
void store_certificate_cursor(enum certificate_index index, const struct certificate *certificate,
                              char ret[STORE_CURSOR_SIZE]);
/* Whether a certificate of this key (SHA-256 of its SubjectPublicKeyInfo) was revoked for keyCompromise. */
bool store_certificate_compromised(struct store_txn *txn, struct bytes key_hash, bool *ret, struct problem *p) must_use;
/* Those of an issuer that were released from hold at since or later, and are not revoked since; soonest first. */
bool store_certificate_released(struct store_txn *txn, const char *issuer, int64_t since, const char *after,
                                size_t limit, struct store_page *ret, struct problem *p) must_use;
/* The revoked certificates of an issuer that expire, or were revoked, at since or later; soonest first. */
bool store_certificate_revoked(struct store_txn *txn, const char *issuer, int64_t since, const char *after,
                               size_t limit, struct store_page *ret, struct problem *p) must_use;
