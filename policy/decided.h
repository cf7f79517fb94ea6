/* Decided: requests that people have decided about (store/request.h) are carried out, by the wing that each came by,
 * which knows how: this finds them, goes through them, and tells the log of those that must be tried again. For a
 * job that comes round every second or so. One thread for each method. */
#pragma once

#include "store/request.h"

struct decided {
	struct store *store;
	const char *method;           /* "acme", "api" */
	size_t batch;                 /* at most so many at a time */
	bool (*carry_out)(void *arg, const char *id, struct problem *p); /* false: once more, later */
	void *arg;
};
bool decided_carry_out(const struct decided *decided, struct problem *p) must_use;
/* Whether a refusal is the request's end; else, what is not its fault, or was changed by another process, is tried
 * again. */
bool decided_is_final(const struct problem *why) must_use;
/* The request that has no certificate to come: what people approved has failed, and *reason says why; NULL: what they
 * decided stands. It points to reason, and is the caller's to put. */
bool decided_fail(struct store_txn *txn, const char *id, const char *const *reason, struct request *ret,
                  struct problem *p) must_use;
/* Puts one that has been carried out. expires: when it is swept; 0: not by that. */
bool decided_put(struct store_txn *txn, struct request *request, int64_t now, int64_t expires, struct problem *p)
	must_use;
/* Runs it, and tells the log when not even that can be done. */
void decided_run(const struct decided *decided);
