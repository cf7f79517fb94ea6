/* What the description says of refusals: which statuses a route can answer with, and what comes along. */
#include <stdio.h>

#include "admin/api_openapi.h"

enum when {
	ALWAYS,
	WITH_TOKEN,  /* the route asks who it is */
	WITH_NAME,   /* it is about something that may not be there, or not be in a state for it */
	WITH_BODY,
};
static const struct {
	int status;
	const char *name, *meaning, *header;
	enum when when;
} refusals[] = {
	{ 400, "BadRequest",
	  "A field is missing, unknown or not what it should be; or the policy refuses. `errors` names each.",
	  "Location", ALWAYS },
	{ 401, "Unauthorized", "There is no token, or one that does not count.", "WWW-Authenticate", WITH_TOKEN },
	{ 403, "Forbidden", "The token has not the role, or is for other profiles or names.", "Location",
	  WITH_TOKEN },
	{ 404, "NotFound", "There is no such thing, or not for this token.", NULL, WITH_NAME },
	{ 409, "Conflict", "It is not in a state for that.", "Location", WITH_NAME },
	{ 413, "TooLarge", "The body is larger than is taken.", NULL, ALWAYS },
	{ 415, "UnsupportedMediaType", "The body is not of type application/json.", NULL, WITH_BODY },
	{ 429, "TooManyRequests", "This token has made too many.", "Retry-After", WITH_TOKEN },
	{ 500, "InternalError", "The server's fault: `instance` is in its log with the cause.", NULL, ALWAYS },
	{ 503, "Unavailable", "The server cannot do this now.", "Retry-After", ALWAYS },
};

static bool can_refuse(const struct api_route *route, enum when when)
{
	switch (when) {
	case WITH_TOKEN: return route->role != API_PUBLIC;
	case WITH_NAME: return route->body || strchr(route->http.path, '{');
	case WITH_BODY: return route->body;
	default: return true;
	}
}

void api_openapi_refuses(struct json_writer *w, const struct api_route *route)
{
	char status[8];

	for (size_t i = 0; i < array_length(refusals); i++) {
		if (!can_refuse(route, refusals[i].when))
			continue;
		snprintf(status, sizeof(status), "%d", refusals[i].status);
		json_open(w, status);
		api_openapi_ref(w, "responses", refusals[i].name);
		json_close(w);
	}
}

void api_openapi_refusals(struct json_writer *w)
{
	json_open(w, "responses");
	for (size_t i = 0; i < array_length(refusals); i++) {
		json_open(w, refusals[i].name);
		json_put(w, "description", refusals[i].meaning);
		api_openapi_headers(w, refusals[i].header, NULL);
		api_openapi_content(w, "application/problem+json", &api_problem_reply);
		json_close(w);
	}
	json_close(w);
}
