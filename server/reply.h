/* Reply: a `struct http_response` as bytes, and the refusals that no wing words. */
#pragma once

#include "base/http.h"

/* RFC 9457, with the type about:blank: what HTTP's status code says, and the detail. */
void reply_problem(const struct problem *p, struct http_response *response);

struct reply_options {
	bool head;        /* the answer to HEAD: no content */
	bool keep_alive;  /* false: Connection: close */
	bool http10;      /* who must be told that the connection is kept */
};
/* Status line and headers, the empty line included. false: memory. */
bool reply_head(const struct http_response *response, const struct reply_options *options, struct buf *ret) must_use;
/* Whether content follows that head. */
bool reply_has_content(const struct http_response *response, const struct reply_options *options);
/* RFC 9110, 15: "Not Found". */
const char *reply_reason(int status);
