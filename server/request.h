/* Request: from the parts of a head to a `struct http_request`: what its target is, who it is
 * addressed to, and how long its content is. Where RFC 9112 leaves room for two readings, the
 * request is refused.
 *
 * A value of one thread; it borrows from the buffer that holds the head. */
#pragma once

#include "base/http.h"

enum { REQUEST_ID_SIZE = 32, REQUEST_BASE_URL_SIZE = 300 };

/* What the listener knows about itself. */
struct request_place {
	const char *scheme;            /* "https" */
	const char *external_url;      /* NULL: the Host header says it, and must be one of names */
	const struct strings *names;
	const char *authority;         /* "127.0.0.1:8443": for HTTP/1.0 without Host */
};

struct request_head {
	const char *method, *target, *version; /* version "1.1" */
	size_t header_count;
	const struct http_header *headers;     /* values are trimmed in place */
};

struct request {
	struct http_request http;
	struct http_header headers[HTTP_HEADERS_MAX];
	char id[REQUEST_ID_SIZE];
	char base_url[REQUEST_BASE_URL_SIZE];
	bool is_11;                    /* HTTP/1.1, not 1.0 */
	bool has_length, chunked, expects_continue;
	bool ends;                     /* the client asks that its connection does, whatever else it asks */
	size_t content_length;         /* 0 where it is chunked, until it has been read: its bytes on the wire */
};

/* Fills method and path even where it refuses, as far as they are known. The target is split at
 * its '?' in place. The path of "*" is "*". */
bool request_read(const struct request_place *place, const struct request_head *head, struct request *ret,
                  struct problem *p) must_use;
/* After the route is known: whether a body of that method can be read at all (411, 413, 417). */
bool request_check_body(const struct request *request, size_t body_max, struct problem *p) must_use;
