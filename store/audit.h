/* Audit: what was decided, when and by whom: events that are only ever added, each chained to the one
 * before it and committed with the change that it tells of.
 *
 * An event is one line of JSON, kept as it was written:
 *     {"seq":7,"time":"2026-11-21T11:36:00Z","kind":"account-created","actor":"account ID",
 *      "from":"192.0.2.7","about":{...},"previous":"HEX"}
 * Its hash is the SHA-256 of that line, whose last member is the hash of the event before it (zeros in
 * the first). Whoever has the lines can check the chain: no key is needed.
 *
 * Beside each event stands a MAC of its number and hash, and one record, the head, tells the last number
 * and hash under a MAC of its own. Their key follows from the store's seal.key. So
 * - who can write data.mdb and has not seal.key can neither change, insert, remove or reorder events nor cut
 *   off the last ones: audit_check names the first one concerned, also where all hashes were made anew. Nor
 *   does the log go on after that: no event is added to a head that is not ours, and without its
 *   event no change is made;
 * - such a person can put back the whole file as it once was, or remove the log whole, after which it begins
 *   again with a log-begun of that time. Nothing inside the file tells of that; an export or the hash of a
 *   late event kept elsewhere does (`enrolld audit verify --known`);
 * - who has seal.key as well can write another history. Only what was kept elsewhere shows that.
 *
 * Events are added in an update, whose writes come one after the other in all processes: there is one
 * chain. Any thread. */
#pragma once

#include "base/digest.h"
#include "store/record.h"
#include "store/store.h"

/* name, as it is written, what it says */
#define AUDIT_KINDS(X)                                                                                          \
	X(LOG_BEGUN, "log-begun", "the store had no event before this one")                                     \
	X(CERTIFICATE_ISSUED, "certificate-issued", "a certificate was signed and is in the inventory")         \
	X(CERTIFICATE_REFUSED, "certificate-refused", "a CSR was refused by policy; reasons and rules")         \
	X(CERTIFICATE_REVOKED, "certificate-revoked", "a certificate was revoked")                              \
	X(CERTIFICATE_RELEASED, "certificate-released", "a certificate is on hold no more")                     \
	X(REQUEST_MADE, "request-made", "a request waits for people's approval")                                \
	X(REQUEST_DECIDED, "request-decided", "somebody approved, rejected or cancelled a request")             \
	X(ORDER_REFUSED, "order-refused", "an order was refused by policy")                                     \
	X(REVOCATION_REFUSED, "revocation-refused", "somebody asked to revoke what is not theirs to revoke")    \
	X(ACCOUNT_CREATED, "account-created", "an ACME account was made")                                       \
	X(ACCOUNT_CHANGED, "account-changed", "an ACME account has other contacts")                             \
	X(ACCOUNT_KEY_CHANGED, "account-key-changed", "an ACME account has another key (RFC 8555, 7.3.5)")      \
	X(ACCOUNT_DEACTIVATED, "account-deactivated", "an ACME account was ended")                              \
	X(EAB_CREATED, "eab-created", "a key for external account binding was made")                            \
	X(EAB_USED, "eab-used", "a key for external account binding bound an account")                          \
	X(EAB_REVOKED, "eab-revoked", "a key for external account binding was revoked")                         \
	X(TOKEN_CREATED, "token-created", "a token of the REST API was made")                                   \
	X(TOKEN_REVOKED, "token-revoked", "a token of the REST API was revoked")                                \
	X(STORE_CREATED, "store-created", "the store was made")                                                 \
	X(ENROLLMENT_CREATED, "enrollment-created", "a code for enrollment over EST was made")                  \
	X(ENROLLMENT_REVOKED, "enrollment-revoked", "a code for enrollment over EST was revoked")               \
	X(ENROLLMENT_REFUSED, "enrollment-refused", "a credential shown over EST was refused")                  \
	X(ENROLLMENT_IMPORTED, "enrollment-imported", "devices were put on the list for EST")                   \
	X(CA_CREATED, "ca-created", "root and issuing CA were made")                                            \
	X(CA_CHANGED, "ca-changed", "a CA was imported, installed, renewed, given a new key, or its root rolled over") \
	X(CA_REQUESTED, "ca-requested", "a request was made for a CA outside to sign")                          \
	X(CA_DISABLED, "ca-disabled", "a CA issues nothing more")                                               \
	X(CA_ENABLED, "ca-enabled", "a CA that was disabled issues again")                                      \
	X(CRL_MADE, "crl-made", "a root signed a list of what it revoked")                                      \
	X(CRL_ENDS, "crl-ends", "the list of a root ends soon, and the server cannot make it anew")             \
	X(STORE_COPIED, "store-copied", "a copy of the store was begun (`enrolld backup`)")                     \
	X(SERVER_STARTED, "server-started", "a server began to serve with this configuration")                  \
	X(SERVER_STOPPED, "server-stopped", "a server ended as it was told to")                                 \
	X(CONFIGURATION_RELOADED, "configuration-reloaded", "a server goes on with this configuration")         \
	X(CONFIGURATION_REFUSED, "configuration-refused", "a server was told to reload and stays as it was")    \
	X(CERTIFICATE_IMPORTED, "certificate-imported", "a certificate of another CA is in the inventory")      \
	X(CERTIFICATE_CHANGED, "certificate-changed", "what is kept beside a certificate was changed")          \
	X(CERTIFICATE_DELETED, "certificate-deleted", "an imported certificate left the inventory")             \
	X(ACCOUNT_LIMITED, "account-limited", "an operator said what an ACME account may order")                \
	X(AUTHORIZATION_GRANTED, "authorization-granted", "names were authorized by an account's scope, without a challenge") \
	X(DEVICE_ATTESTED, "device-attested", "a device has attested a key, and what it is called is authorized with it") \
	X(ATTESTATION_REFUSED, "attestation-refused", "the attestation of a device was refused")                \
	X(ORDER_CANCELED, "order-canceled", "the renewals of an order were ended (RFC 8739), or an operator ended an order")\
	X(RENEWAL_ADVISED, "renewal-advised", "clients were asked to renew certificates now (RFC 9773), or no longer") \
	X(CERTIFICATE_EXPIRING, "certificate-expiring", "a certificate expires soon and nothing has replaced it") \
	X(CERTIFICATE_EXPIRED, "certificate-expired", "a certificate has expired and nothing has replaced it")  \
	X(WEBHOOK_CREATED, "webhook-created", "a webhook was made")                                             \
	X(WEBHOOK_CHANGED, "webhook-changed", "a webhook has another URL, other filters or another secret")     \
	X(WEBHOOK_REVOKED, "webhook-revoked", "a webhook was ended")                                            \
	X(WEBHOOK_STOPPED, "webhook-stopped", "a webhook was given up: nothing could be delivered for long")    \
	X(WEBHOOK_RESUMED, "webhook-resumed", "a webhook goes on, perhaps without the event that it stood at")  \
	X(RENEWAL_FAILED, "renewal-failed", "the server could not renew a certificate by itself")               \
	X(PRIVATE_KEY_READ, "private-key-read", "a private key that the server keeps left it")                  \
	X(PRIVATE_KEY_DELETED, "private-key-deleted", "a private key that the server kept is no more")          \
	X(PRIVATE_KEYS_RESEALED, "private-keys-resealed", "private keys are sealed under another key")          \
	X(REFUSALS_DROPPED, "refusals-dropped", "so many refusals came too fast to be kept one by one")

enum audit_kind {
#define X(name, text, meaning) AUDIT_##name,
	AUDIT_KINDS(X)
#undef X
	AUDIT_KIND_MAX,
};
const char *audit_kind_name(enum audit_kind kind);

/* A member of "about". What is NULL, empty or zero is left out, a text longer than AUDIT_TEXT_MAX is
 * cut, and of a list those are written that keep "about" within AUDIT_ABOUT_MAX. */
enum { AUDIT_TEXT_MAX = 512, AUDIT_ABOUT_MAX = 4096 };
enum audit_type { AUDIT_TEXT, AUDIT_INTEGER, AUDIT_TIME, AUDIT_HEX, AUDIT_TEXTS };
struct audit_fact {
	const char *name;               /* NULL ends the facts */
	enum audit_type type;
	union {
		const char *text;
		int64_t integer;
		struct bytes bytes;
		struct record_texts texts;
	};
};
#define audit_text(n, v) { .name = (n), .type = AUDIT_TEXT, .text = (v) }
#define audit_integer(n, v) { .name = (n), .type = AUDIT_INTEGER, .integer = (v) }
#define audit_time(n, v) { .name = (n), .type = AUDIT_TIME, .integer = (v) }
#define audit_hex(n, v) { .name = (n), .type = AUDIT_HEX, .bytes = (v) }
#define audit_texts(n, v) { .name = (n), .type = AUDIT_TEXTS, .texts = (v) }

struct audit_event {
	enum audit_kind kind;
	int64_t time;                    /* when, by the caller's clock: an update can run again */
	const char *actor;               /* who, in words: "account ID", "operator NAME", "server", ... */
	const char *from;                /* address the request came from; NULL: none */
	const struct audit_fact *facts;  /* ids first; NULL: none */
};
/* In the caller's update. INTERNAL when the log is not as it was left: the update must not go on. */
bool store_audit_add(struct store_txn *txn, const struct audit_event *event, struct problem *p) must_use;

/* --- reading */

struct audit_entry {
	uint64_t seq;
	int64_t time;                    /* 0: the line cannot be read */
	uint8_t hash[SHA256_SIZE];
	char *line;                      /* the event, as it was hashed */
};
struct audit_page {
	struct audit_entry *v;
	size_t n;
	uint64_t after;                  /* where to go on */
	bool end;                        /* there is nothing more for now */
};
void audit_page_free(struct audit_page *page);
declare_auto_value(audit_page, audit_page_free);

struct audit_query {
	const char *kind;                /* as it is written; NULL: any */
	int64_t since;                   /* no event before that time; 0: any */
};
/* Up to limit of the events after that number which the query wants, oldest first. A page can have fewer,
 * none even, and not be the end: it looks at AUDIT_LOOK_MAX events at most. */
enum { AUDIT_LOOK_MAX = 10000 };
bool store_audit_read(struct store_txn *txn, const struct audit_query *query, uint64_t after, size_t limit,
                      struct audit_page *ret, struct problem *p) must_use;
/* The number of the last event, as the head tells it; 0: there is none. */
bool store_audit_last(struct store_txn *txn, uint64_t *ret, struct problem *p) must_use;
/* The number after which to read for what came at that time or later. Few reads, however long the log: it takes
 * the times to rise, so where the clock was set back it may begin too late or too early. */
bool store_audit_seek(struct store_txn *txn, int64_t since, uint64_t *ret_after, struct problem *p) must_use;

/* --- checking */

#define AUDIT_FAULTS(X)                                                                       \
	X(NONE, "whole", "the log is whole up to event %llu")                                  \
	X(CHANGED, "changed", "event %llu was changed")                                       \
	X(MISSING, "missing", "event %llu is missing")                                        \
	X(INSERTED, "inserted", "what stands as event %llu was inserted")                     \
	X(OUT_OF_ORDER, "out-of-order", "another event stands in the place of event %llu")    \
	X(STRAY, "stray", "event %llu does not follow the one before it")                     \
	X(HEAD, "head", "the head of the log is missing or not ours; its last event is %llu")

enum audit_fault {
#define X(name, text, meaning) AUDIT_FAULT_##name,
	AUDIT_FAULTS(X)
#undef X
};
const char *audit_fault_name(enum audit_fault fault);

/* A walk over the whole log, in as many read transactions as its caller likes: {0} begins it. */
struct audit_check {
	uint64_t seq;                    /* the last event that was judged; with a fault the one it is about */
	uint8_t hash[SHA256_SIZE];       /* of the last event that was found good */
	enum audit_fault fault;
	bool done;                       /* at a fault, or at the end, where the head agrees */
};
/* Judges the next limit events. Events that are added meanwhile are judged too. */
bool store_audit_check(struct store_txn *txn, struct audit_check *check, size_t limit, struct problem *p) must_use;
/* What was found so far, in one sentence. */
void audit_check_tell(const struct audit_check *check, struct buf *ret);
