/* Chunked: content of a request in chunks (RFC 9112, 7.1), read to the letter, so that nobody before us can see its end
 * elsewhere. Extensions and trailers are passed over.
 *
 * A value, fed with the bytes as they arrive, and never with more than it wants: what follows is the next request's. */
#pragma once

#include "base/bytes.h"

enum { CHUNKED_FRAMING_MAX = 64 * 1024 }; /* bytes that are no content: lines of sizes, their extensions, trailers */

struct chunked {
	unsigned char state;
	unsigned char digits;    /* of the size */
	size_t left;             /* bytes of the chunk that are still to come */
	size_t framing;
};

/* How many bytes can be read without reading past the end; 0: it is whole. */
size_t chunked_wants(const struct chunked *chunked);
/* Appends what is content to ret. {0} is the beginning. MALFORMED; TOO_LARGE: content would be over max. */
bool chunked_feed(struct chunked *chunked, struct bytes data, size_t max, struct buf *ret, struct problem *p) must_use;
