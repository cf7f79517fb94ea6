/* Routes: the table of ACME's resources, and the way of a request through its row. Internal to
 * acme/, and for the tests that walk the table. */
#pragma once

#include "acme/call.h"

struct acme_route {
	struct http_route http;
	enum acme_auth auth;
	enum acme_payload payload;
	acme_action *action;
	bool nonce;            /* a Replay-Nonce in any successful reply, not to POST alone */
	bool directory;        /* the directory itself: no link to it */
	bool issuance;         /* throttled with 503, not 429 */
};
size_t acme_route_count(void);
const struct acme_route *acme_route_at(size_t i);

const char *acme_auth_name(enum acme_auth auth);          /* "none" "jwk" "kid" "kid-or-jwk" */
const char *acme_payload_name(enum acme_payload payload); /* "empty" "object" "either" */

/* The wing over this state; borrows it. */
struct http_wing acme_routes_wing(struct acme *acme);
