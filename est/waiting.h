/* Waiting: requests of clients that people must approve first (RFC 7030, 4.2.3). The client is told 202 and asks again,
 * with a CSR that may be signed anew; it is known by where it asks, who it is, and its key. Any thread. */
#pragma once

#include "est/call.h"
#include "policy/csr.h"
#include "policy/identity.h"
#include "store/certificate.h"
#include "store/request.h"

struct waiting {
	const struct est_call *call;
	const struct identity *identity;
	const struct csr *sent;         /* as the client sent it, by which it is known */
	struct bytes csr;               /* as people see it */
	bool made;                      /* its key is the server's, and made anew when it is issued */
	struct request request;         /* what is known of it; id "" none. The caller's to free */
};

/* Reads what is known. UNAUTHORIZED: people have rejected it. */
bool waiting_find(struct waiting *w, struct problem *p) must_use;
/* The id of a request that can be carried out; NULL: there is none. */
const char *waiting_request(const struct waiting *w);
/* The certificate that was issued for it a moment ago, for a client that has lost the reply. false without a problem:
 * there is none, or it was revoked. */
bool waiting_issued(const struct waiting *w, struct certificate *ret, struct problem *p) must_use;
/* Whether it is there and nobody has decided about it. */
bool waiting_is_pending(const struct waiting *w);
/* Answers 202. */
bool waiting_reply(const struct waiting *w, struct problem *p) must_use;
/* Puts it, or finds it again, and answers so. UNAUTHORIZED; RATE_LIMITED: too many wait. */
bool waiting_ask(struct waiting *w, struct problem *p) must_use;
/* In the update that records the certificate: it is approved no more, but issued. CONFLICT. */
bool waiting_settle(struct store_txn *txn, const struct waiting *w, const char *certificate,
                    struct problem *p) must_use;
