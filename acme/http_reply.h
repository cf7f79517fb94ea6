/* HTTP reply: an HTTP/1.1 reply read as it arrives (RFC 9112), with bounds on all of it, to fill in a
 * `struct fetch`. What nobody looks at is not read: the content of any status but 200.
 * Values; any thread. Internal to acme/. */
#pragma once

#include "base/fetch.h"

enum http_reply_state {
	HTTP_REPLY_STATUS, HTTP_REPLY_HEADER,
	HTTP_REPLY_CONTENT,                                                       /* left bytes, or to the end */
	HTTP_REPLY_CHUNK_SIZE, HTTP_REPLY_CHUNK, HTTP_REPLY_CHUNK_END, HTTP_REPLY_TRAILER,
	HTTP_REPLY_DONE,
	HTTP_REPLY_BROKEN,                                                        /* fault says why */
};
enum { HTTP_REPLY_LINE_MAX = FETCH_LOCATION_MAX + 64 };

struct http_reply {
	/* status, location, body, body_len, too_long, header_bytes; the caller's, zeroed */
	struct fetch *to;
	enum http_reply_state state;
	const char *fault;            /* in words for the one who runs that server */
	bool chunked, sized;
	uint64_t left;
	bool cut;                     /* the line is longer than fits, or has a NUL in it */
	size_t line_len;
	char line[HTTP_REPLY_LINE_MAX + 1];
};
void http_reply_begin(struct http_reply *reply, struct fetch *to);
/* false: done or broken, and no more is wanted. */
bool http_reply_feed(struct http_reply *reply, struct bytes data) must_use;
/* The connection has ended. */
void http_reply_end(struct http_reply *reply);
