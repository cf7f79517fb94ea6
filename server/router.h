/* Router: finds the row of a request among the wings of a listener, checks what the row demands
 * (method, media type, body), calls the wing, and lets the wing word every refusal. Immutable once
 * made; any thread. No row and no wing's prefix: 404 as problem+json. HEAD is GET without the body;
 * OPTIONS answers 204 with Allow. */
#pragma once

#include "base/http.h"

struct router;
bool router_new(const struct http_wing *const *wings, size_t count, struct router **ret, struct problem *p) must_use;
void router_free(struct router *router);
declare_auto_struct(router, router_free);

/* Before the body is read: finds the route, fills the captures, and says how large a body may be.
 * A refusal has filled response already and returns false. */
struct router_match {
	const struct http_wing *wing; /* NULL: none */
	size_t route;
	size_t body_max;
};
bool router_find(const struct router *router, struct http_request *request, struct router_match *ret,
                 struct http_response *response) must_use;
/* With the body read. Always fills response. cause gets what the log should say, "" for nothing. */
void router_serve(const struct router_match *match, const struct http_request *request, struct http_response *response,
                  char *cause, size_t cause_size);
/* A refusal of the listener's own (timeout, too large, malformed), worded by the wing if there is one. */
void router_refuse(const struct router *router, const struct router_match *match, const struct http_request *request,
                   const struct problem *p, struct http_response *response);
