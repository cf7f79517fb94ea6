/* Routes: the table of the API's requests, and the way of one through its row. Internal to admin/, and for
 * the command and the tests that walk the table. */
#pragma once

#include "admin/api_call.h"

struct api_parameter {
	const char *name, *meaning;
	const char *const *choices;    /* NULL-ended; NULL: any text */
	enum api_type type;            /* API_TEXT, API_INTEGER or API_TIME */
	int64_t min, max;              /* of an integer */
	bool required;
	const char *pattern;           /* as in admin/api_schema.h */
};
enum { API_PUBLIC = -1, API_ANY_ROLE = 0 };
struct api_route {
	struct http_route http;
	int role;                      /* enum token_role, API_ANY_ROLE or API_PUBLIC */
	enum api_scope scope;
	const struct api_object *body; /* NULL: none */
	const struct api_parameter *query; /* ended by name NULL; NULL: none */
	const struct api_object *reply; /* of 200; NULL: `content`, or 204 without any */
	api_action *action;
	const char *name;              /* "issueCertificate": unique; what generated clients call it */
	const char *summary;
	const char *content;           /* of a 200 that is no JSON; NULL */
	bool may_wait;                 /* 202 with the same reply: people must approve it first */
};
size_t api_route_count(void);
const struct api_route *api_route_at(size_t i);
const char *api_route_role(const struct api_route *route); /* "issue"; "any"; "none" */
const char *api_scope_name(enum api_scope scope);          /* "certificate" */

/* A request without a connection, for a command: its row by name, what the path names, its body. The same checks,
 * and the same action, for him who runs it. */
struct api_asking {
	const char *route;             /* "issueCertificate"; must be one */
	const char *id;                /* NULL: the path names nothing */
	struct bytes body;
};
bool api_ask_as(struct api *api, const struct identity *identity, const struct api_asking *asking,
                struct http_response *response, struct problem *p) must_use;

/* The wing over this state; borrows it. */
struct http_wing api_routes_wing(struct api *api);
