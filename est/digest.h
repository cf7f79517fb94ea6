/* Digest: an Authorization header of that scheme (RFC 7616), and the challenge that asks for one. Any thread. */
#pragma once

#include "base/http.h"
#include "policy/password.h"

enum { DIGEST_FIELD_SIZE = 257, DIGEST_HEADER_MAX = 4096 };

struct digest {
	char username[DIGEST_FIELD_SIZE], realm[DIGEST_FIELD_SIZE], nonce[DIGEST_FIELD_SIZE], uri[DIGEST_FIELD_SIZE],
	     response[DIGEST_FIELD_SIZE], cnonce[DIGEST_FIELD_SIZE], nc[DIGEST_FIELD_SIZE], qop[DIGEST_FIELD_SIZE],
	     algorithm[DIGEST_FIELD_SIZE]; /* "" where it does not stand */
	uint32_t count;                        /* nc */
	bool sha256;
};
/* Whether the header is of the scheme. */
bool digest_is(const char *header) must_use;
/* Reads it, and holds it to what is served here: our realm, qop=auth, MD5 (or no algorithm) or SHA-256, the uri of this
 * request, all that qop=auth wants. Of the uri libest leaves the label out, which is let pass. MALFORMED. */
bool digest_read(const char *header, const struct http_request *request, struct digest *ret,
                 struct problem *p) must_use;
/* What is to be proven, borrowed from both. */
struct password_claim digest_claim(const struct digest *digest, const struct http_request *request);
/* "Digest realm=...": one challenge. */
void digest_challenge(bool sha256, const char *nonce, bool stale, struct buf *ret);
