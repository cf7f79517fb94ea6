/* Problem: why something was refused, in the terms of RFC 9457 and RFC 8555 section 6.7.
 *
 * A problem is born where the fault is found and cites the rule. It lives by value on the caller's
 * stack; only sub-problems are on the heap. A function that can refuse takes `struct problem *` as
 * its last parameter and returns bool: true leaves the problem untouched, false has filled it.
 * INTERNAL and UNAVAILABLE keep their cause for the log; clients see a fixed text. Not shared
 * between threads while being written. */
#pragma once

#include "base/mem.h"

/* name, HTTP status, suffix of urn:ietf:params:acme:error: as ACME shows it */
#define PROBLEM_KINDS(X)                                                             \
	X(ACCOUNT_DOES_NOT_EXIST, 400, "accountDoesNotExist")                        \
	X(ALREADY_REVOKED, 400, "alreadyRevoked")                                    \
	X(ALREADY_REPLACED, 409, "alreadyReplaced")                                  \
	X(AUTO_RENEWAL_CANCELED, 403, "autoRenewalCanceled")                         \
	X(AUTO_RENEWAL_EXPIRED, 403, "autoRenewalExpired")                           \
	X(AUTO_RENEWAL_CANCELLATION_INVALID, 400, "autoRenewalCancellationInvalid")  \
	X(AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED, 403, "autoRenewalRevocationNotSupported") \
	X(BAD_ATTESTATION, 400, "badAttestationStatement")                           \
	X(BAD_CSR, 400, "badCSR")                                                    \
	X(BAD_NONCE, 400, "badNonce")                                                \
	X(BAD_PUBLIC_KEY, 400, "badPublicKey")                                       \
	X(BAD_REVOCATION_REASON, 400, "badRevocationReason")                         \
	X(BAD_SIGNATURE_ALGORITHM, 400, "badSignatureAlgorithm")                     \
	X(CAA, 403, "caa")                                                           \
	X(COMPOUND, 400, "compound")                                                 \
	X(CONNECTION, 400, "connection")                                             \
	X(DNS, 400, "dns")                                                           \
	X(EXTERNAL_ACCOUNT_REQUIRED, 403, "externalAccountRequired")                 \
	X(INCORRECT_RESPONSE, 403, "incorrectResponse")                              \
	X(INVALID_CONTACT, 400, "invalidContact")                                    \
	X(INVALID_PROFILE, 400, "invalidProfile")                                    \
	X(MALFORMED, 400, "malformed")                                               \
	X(ORDER_NOT_READY, 403, "orderNotReady")                                     \
	X(RATE_LIMITED, 429, "rateLimited")                                          \
	X(REJECTED_IDENTIFIER, 400, "rejectedIdentifier")                            \
	X(TLS, 400, "tls")                                                           \
	X(UNAUTHENTICATED, 401, "unauthorized")                                      \
	X(UNAUTHORIZED, 403, "unauthorized")                                         \
	X(UNSUPPORTED_CONTACT, 400, "unsupportedContact")                            \
	X(UNSUPPORTED_IDENTIFIER, 400, "unsupportedIdentifier")                      \
	X(USER_ACTION_REQUIRED, 403, "userActionRequired")                           \
	X(NOT_FOUND, 404, "malformed")                                               \
	X(METHOD_NOT_ALLOWED, 405, "malformed")                                      \
	X(NOT_ACCEPTABLE, 406, "malformed")                                          \
	X(REQUEST_TIMEOUT, 408, "malformed")                                         \
	X(CONFLICT, 409, "malformed")                                                \
	X(GONE, 410, "malformed")                                                    \
	X(LENGTH_REQUIRED, 411, "malformed")                                         \
	X(TOO_LARGE, 413, "malformed")                                               \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "malformed")                                  \
	X(HEADERS_TOO_LARGE, 431, "malformed")                                       \
	X(NOT_IMPLEMENTED, 501, "serverInternal")                                    \
	X(UNAVAILABLE, 503, "serverInternal")                                        \
	X(INTERNAL, 500, "serverInternal")

enum problem_kind {
	PROBLEM_NONE, /* not set; never shown */
#define X(name, status, acme) PROBLEM_##name,
	PROBLEM_KINDS(X)
#undef X
	PROBLEM_KIND_MAX,
};

enum { PROBLEM_DETAIL_MAX = 512, PROBLEM_SUB_MAX = 128 };

/* One part of a problem: about one identifier (RFC 8555, 6.7.1), one field of the request, or neither. */
struct problem_sub {
	enum problem_kind kind;
	char detail[PROBLEM_DETAIL_MAX];
	char identifier_type[24];  /* "" when the part names none */
	char identifier_value[256];
	char field[64];            /* "attributes.ttl", "subject.cn"; "" when the part names none */
	char value[256];           /* what was found there, cut; "" when it is not to be shown */
	char rule[32];             /* the rule that it breaks: "deny", "names-proven"; "" when it is of none */
	char message[256];         /* the same without field, value and rule; "" when detail is without them */
};

struct problem {
	enum problem_kind kind;
	int status;                       /* 0: the kind's own */
	int retry_after;                  /* seconds; 0: none */
	bool stale;                       /* a 401: all is right but the nonce is old (RFC 7616, 3.3) */
	char detail[PROBLEM_DETAIL_MAX];  /* for the client, UTF-8, one line */
	char cause[PROBLEM_DETAIL_MAX];   /* for the log only */
	char location[PROBLEM_DETAIL_MAX];/* Location header to send along; "" none (RFC 8555, 7.3.5) */
	char link[PROBLEM_DETAIL_MAX];    /* whole Link header value; "" none (RFC 8555, 7.3.3) */
	const char *const *algorithms;    /* NULL, or NULL-ended JWS names (RFC 8555, 6.2) */
	struct problem_sub *subs;         /* heap, owned */
	size_t sub_count;
};

/* Fills the problem and returns false, so that a refusal is one line:
 *     return problem_set(p, PROBLEM_BAD_CSR, "RFC 8555, 7.4: ...", ...);
 * A second call overwrites the first. Control characters of the arguments become '?'. */
bool problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...) printf_like(3, 4);

/* INTERNAL: the text is the cause for the log; the client sees a fixed sentence. Returns false. */
bool problem_internal(struct problem *p, const char *cause_fmt, ...) printf_like(2, 3);

/* INTERNAL with the OpenSSL error queue appended to the cause; the queue is emptied. False. */
bool problem_openssl(struct problem *p, const char *what);

/* Out of memory: UNAVAILABLE, Retry-After 1. Returns false. */
bool problem_memory(struct problem *p);

/* UNAVAILABLE (503) with Retry-After and a cause for the log. Returns false. */
bool problem_unavailable(struct problem *p, int retry_after, const char *cause_fmt, ...) printf_like(3, 4);

/* The same of a state that operators brought about and clients may know of: they read the text. Returns false. */
bool problem_closed(struct problem *p, int retry_after, const char *fmt, ...) printf_like(3, 4);

/* RATE_LIMITED with Retry-After, in these words. Returns false. */
bool problem_limited(struct problem *p, int retry_after, const char *fmt, ...) printf_like(3, 4);

/* A look-up refused: what is not there (NOT_FOUND, or nothing was looked for) is told in these words, any other
 * refusal stays what it is. Returns false. */
bool problem_missing(struct problem *p, const char *fmt, ...) printf_like(2, 3);

/* Takes a refusal of this kind back, where it is an answer too: true, and p is empty. false: p stays as it is. */
bool problem_forgive(struct problem *p, enum problem_kind kind) must_use;

/* A refusal that was kept apart becomes p; what was in p goes, and why is empty. Returns false. */
bool problem_pass(struct problem *why, struct problem *p);

/* Whether the fault is on our side: INTERNAL or UNAVAILABLE. What was asked for may be good. */
bool problem_is_ours(const struct problem *p) must_use;

/* Adds a part for one identifier (type and value may be NULL). At most PROBLEM_SUB_MAX are kept.
 * Returns false, as the set does. */
bool problem_add(struct problem *p, enum problem_kind kind, const char *identifier_type,
                 const char *identifier_value, const char *fmt, ...) printf_like(5, 6);
/* Adds a part for one field of the request (value may be NULL: not shown). Otherwise as above. */
bool problem_add_field(struct problem *p, enum problem_kind kind, const char *field, const char *value,
                       const char *fmt, ...) printf_like(5, 6);

/* What a part is about, where a rule is broken; value may be NULL. */
struct problem_breach {
	const char *field, *value, *rule, *message;
};
/* Adds a part for a breach, of one identifier (type and value may be NULL). Otherwise as above. */
bool problem_add_breach(struct problem *p, enum problem_kind kind, const char *identifier_type,
                        const char *identifier_value, const struct problem_breach *breach, const char *fmt,
                        ...) printf_like(6, 7);

/* Gathers: where parts were added, p becomes the kind of all parts if they agree, COMPOUND
 * otherwise, with this text, and false is returned; with no parts, true. */
bool problem_settle(struct problem *p, const char *fmt, ...) printf_like(2, 3) must_use;

bool problem_is_set(const struct problem *p);
int problem_status(const struct problem *p);          /* HTTP status to answer with */
const char *problem_acme_type(enum problem_kind kind); /* the URN's last part */
const char *problem_kind_name(enum problem_kind kind); /* "BAD_CSR" */
/* What the client may read: detail, or the fixed sentence of INTERNAL, and of UNAVAILABLE without one. */
const char *problem_text(const struct problem *p);
/* What the log and the operator may read: the cause, or the detail where there is none. */
const char *problem_cause(const struct problem *p);

void problem_done(struct problem *p); /* frees the parts; p is empty afterwards */
declare_auto_value(problem, problem_done);
