/* Call: one request to the EST wing on its way through, and the state that all of them share.
 * Internal to est/. */
#pragma once

#include <pthread.h>

#include "est/authentication.h"
#include "est/digest_nonce.h"
#include "est/est.h"
#include "est/guard.h"
#include "est/wrapping_keys.h"

struct est {
	struct store *store;
	struct ca *ca;
	pthread_rwlock_t lock;
	struct est_settings settings; /* guarded by it */
	struct guard *guard;          /* wrong credentials */
	struct digest_nonces *nonces;
	struct audit_queue *audit;    /* store/audit_queue.h: refusals, on their way to the audit log */
	struct http_wing wing;
};

/* References of one's own. */
struct est_settings est_settings_now(struct est *est);

struct est_call {
	struct est *est;
	const struct http_request *request;
	struct http_response *response;
	const struct label *label;
	const struct profiles *profiles;
	const struct profile *profile; /* the label's */
	const struct authentications *authentications;
	const struct authentication *authentication; /* the label's */
	const struct wrapping_keys *wrapping_keys;
	/* the requester's code may be used up: he can be told again what it gave, and no more */
	bool spent;
	bool proxied;                  /* the connection is a listed proxy's; known once the requester is */
	struct addr from;              /* the client's address; of one behind a listed proxy, as the proxy says */
	int64_t now;
};
typedef bool est_action(struct est_call *call, struct problem *p);

est_action est_cacerts;            /* RFC 7030, 4.1; est/cacerts.c */
est_action est_simpleenroll;       /* 4.2.1; est/enroll.c */
est_action est_simplereenroll;     /* 4.2.2 */
est_action est_csrattrs;           /* 4.5; est/csr_attributes.c */
est_action est_serverkeygen;       /* 4.4; est/keygen.c */
