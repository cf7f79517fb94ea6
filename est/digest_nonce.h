/* Digest nonce: those that the server gives for HTTP Digest (RFC 7616, 3.3), and how often each was used.
 *
 * A nonce is its time, random bits, and a keyed hash of both: nothing is kept until one is used for the first time. Of
 * those in use the highest count is kept, in a table of fixed size; where the table forgets one, everything as old as
 * that is stale, so no request can be played again. The key is of this start of the server. Any thread. */
#pragma once

#include "base/problem.h"

struct digest_nonces;
enum { DIGEST_NONCE_SIZE = 44, DIGEST_NONCE_LIFE = 300 };

bool digest_nonces_open(struct digest_nonces **ret, struct problem *p) must_use;
void digest_nonces_close(struct digest_nonces *nonces);
declare_auto_struct(digest_nonces, digest_nonces_close);

bool digest_nonce_make(struct digest_nonces *nonces, int64_t now, char ret[DIGEST_NONCE_SIZE],
                       struct problem *p) must_use;
/* Takes this use of it. false: it is none of ours, too old, or this count was used. */
bool digest_nonce_use(struct digest_nonces *nonces, const char *nonce, uint32_t count, int64_t now) must_use;
