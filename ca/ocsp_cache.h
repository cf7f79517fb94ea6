/* OCSP cache: signed answers about one certificate each, to be sent again while they are fresh.
 *
 * It spares signatures and decides nothing: who asks it has looked up the status just now, and gets
 * no answer that says otherwise. A fixed number of places; certificates that fall on the same one
 * drive each other out. Any thread. */
#pragma once

#include "base/http.h"
#include "ca/ocsp_answer.h"

struct ocsp_reply {
	struct buf der;
	int64_t this_update, next_update;
	int64_t refresh;                 /* from when on a fresher answer is made (RFC 9919, 7.1) */
	char etag[HTTP_ETAG_SIZE];
};
void ocsp_reply_free(struct ocsp_reply *reply);
declare_auto_value(ocsp_reply, ocsp_reply_free);

struct ocsp_cache;
/* places 0: a cache that keeps nothing. */
bool ocsp_cache_new(size_t places, struct ocsp_cache **ret, struct problem *p) must_use;
void ocsp_cache_free(struct ocsp_cache *cache);
declare_auto_struct(ocsp_cache, ocsp_cache_free);

/* A copy of the answer that says just this, was signed by this responder, and is fresh. */
bool ocsp_cache_get(struct ocsp_cache *cache, const struct ocsp_single *single, const struct responder *responder,
                    int64_t now, struct ocsp_reply *ret) must_use;
/* Keeps a copy; when memory is out, it does not. */
void ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_single *single, const struct responder *responder,
                    const struct ocsp_reply *reply);
