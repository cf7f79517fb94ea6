/* Probe reply: whether what a web server answered is the key authorization (RFC 8555, 8.3).
 * Values; any thread. Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

/* What is to be proven. Borrowed. */
struct probe_task {
	const char *type, *value;                   /* identifier, canonical, without "*." */
	const char *token, *key_authorization;
	const char *account_url;                    /* as the client knows it; NULL: not recorded */
	bool wildcard;                              /* the order asked for "*." + value */
	struct bytes thumbprints;                   /* of the account's keys, 32 bytes each, the present one last */
	int64_t *ret_until;                         /* where the proof says when it ends; may be NULL */
	bool require_dnssec;                        /* what DNS says counts only when it is signed */
};
struct probe_reply {
	const char *url;         /* for messages */
	struct addr addr;        /* of whom was asked */
	long status;
	struct bytes body;
	bool too_long;           /* there was more than body */
};
/* INCORRECT_RESPONSE with what was wanted and, in general terms, what came. */
bool probe_reply_check(const struct probe_reply *reply, const struct probe_task *task, struct problem *p) must_use;
