/* Authorization: an account's right to one identifier (RFC 8555, 7.1.4). Internal to acme/. */
#pragma once

#include "acme/challenge.h"

/* A new pending authorization, made before the update that stores it. The record points into the
 * draft, which must not move. */
struct authorization_draft {
	struct authorization record;
	struct identifier identifier;
	struct challenge challenges[CHALLENGE_TYPES_MAX];
	char tokens[CHALLENGE_TYPES_MAX][RANDOM_ID_SIZE];
	char account_url[320];
};
struct authorization_wish {
	const struct identifier *identifier;
	bool preauthorized;
	bool subdomains;         /* for the names below it as well (RFC 9444) */
};
/* With every challenge that fits the identifier; there may be none. The profile says what a proof
 * must be. What the account's scope authorizes is valid, and has no challenge. */
bool authorization_draft(const struct acme_call *call, const struct profile *profile,
                         const struct authorization_wish *wish,
                         struct authorization_draft *ret, struct problem *p) must_use;

/* The identifier that a client names. UNSUPPORTED_IDENTIFIER for a type that nothing here can prove: no
 * challenge that is on, and nothing that the account is trusted with; else as identifier_parse. Addresses
 * have one spelling (RFC 8738, 3). */
bool authorization_name(const struct acme_call *call, const char *type, const char *value, struct identifier *ret,
                        struct problem *p) must_use;

struct authorization_found {
	char id[RANDOM_ID_SIZE]; /* "": none */
	int64_t expires;
};
/* In the caller's update: a valid authorization of the account that stands for the identifier still,
 * proven as the profile wants, not longer ago than it allows, and with some life left. */
bool authorization_find(struct store_txn *txn, const char *account, const struct profile *profile,
                        const struct identifier *identifier, int64_t now, struct authorization_found *ret,
                        struct problem *p) must_use;
/* The same for a domain above it, whose proof stands for it in that profile (RFC 9444). */
bool authorization_find_above(struct store_txn *txn, const char *account, const struct profile *profile,
                              const struct identifier *identifier, int64_t now, struct authorization_found *ret,
                              struct problem *p) must_use;
/* Answers with it. */
void authorization_reply(struct acme_call *call, int http_status, const struct authorization *a);
/* In the caller's update: RATE_LIMITED when the account has too many pending ones for `more` new. */
bool authorization_room(struct store_txn *txn, const struct acme_call *call, size_t more,
                        struct problem *p) must_use;
