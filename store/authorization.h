/* Authorization and its challenges (RFC 8555, 7.1.4 and 7.1.5). */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

enum authorization_status {
	AUTHORIZATION_PENDING, AUTHORIZATION_VALID, AUTHORIZATION_INVALID,
	AUTHORIZATION_DEACTIVATED, AUTHORIZATION_EXPIRED, AUTHORIZATION_REVOKED,
};
const char *authorization_status_name(enum authorization_status s);
enum challenge_status { CHALLENGE_PENDING, CHALLENGE_PROCESSING, CHALLENGE_VALID, CHALLENGE_INVALID };
const char *challenge_status_name(enum challenge_status s);

struct challenge {
	const char *type;             /* "http-01" */
	const char *token;            /* base64url, 128 bits or more (8.3) */
	enum challenge_status status;
	int64_t validated;            /* when it became valid */
	int64_t attempts;             /* probes so far (8.2) */
	const char *error;            /* problem document of the last failed probe, JSON */
	const char *url_key;          /* last segment of its URL, unique in the authorization */
};
struct authorization {
	void *memory;
	char id[RANDOM_ID_SIZE];
	char account[RANDOM_ID_SIZE];
	const char *directory;
	enum authorization_status status;
	const char *type;             /* identifier, canonical, without "*." */
	const char *value;
	bool wildcard;                /* 7.1.4: the order asked for "*." + value */
	bool require_dnssec;          /* it was, or is to be, proven by signed DNS answers alone */
	const char *account_url;      /* as the client knew it when it was made; NULL: not recorded */
	bool preauthorized;           /* made by newAuthz (7.4.1): reusable before any order */
	bool granted;                 /* valid by the account's scope, without a challenge */
	struct bytes attested_key;    /* SHA-256 of the SubjectPublicKeyInfo that a device attested; empty: none did */
	const char *attestation;      /* its format, "tpm" */
	bool subdomains;              /* RFC 9444: it proves the names below as well */
	int64_t created, expires;     /* expires of a pending one is its deadline */
	int64_t ends;                 /* of the proof itself: nothing rests on it after that; 0: not by itself */
	struct record_list challenges; /* struct challenge */
};
void authorization_free(struct authorization *authorization);
declare_auto_value(authorization, authorization_free);

/* The challenge that it was proven by; NULL: it was not, or without one. */
const struct challenge *authorization_proof(const struct authorization *authorization);

bool store_authorization_get(struct store_txn *txn, const char *id, struct authorization *ret,
                             struct problem *p) must_use;
/* New or changed; keeps the indexes by account and identifier, by expiry, and the list of
 * authorizations with a challenge in `processing` (see store_authorization_processing). */
bool store_authorization_put(struct store_txn *txn, const struct authorization *authorization,
                             struct problem *p) must_use;
/* Ids of an account's authorizations for one identifier, newest first, any status, up to limit. */
bool store_authorization_find(struct store_txn *txn, const char *account, const char *type, const char *value,
                              bool wildcard, size_t limit, struct strings *ret, struct problem *p) must_use;
/* All authorizations of an account, for its deactivation. */
bool store_authorization_by_account(struct store_txn *txn, const char *account, const char *after, size_t limit,
                                    struct store_page *ret, struct problem *p) must_use;
/* How many of an account's authorizations are pending as stored; counting ends at max. */
bool store_authorization_count_pending(struct store_txn *txn, const char *account, size_t max, size_t *ret,
                                       struct problem *p) must_use;
/* Those with a challenge in flight: what a restart must probe again. */
bool store_authorization_processing(struct store_txn *txn, const char *after, size_t limit,
                                    struct store_page *ret, struct problem *p) must_use;
bool store_authorization_delete(struct store_txn *txn, const char *id, struct problem *p) must_use;
