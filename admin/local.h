/* Local: requests of the API that a command makes itself, for who runs it, without a server: the same checks, the
 * same gate, the same rows. One thread. Internal to admin/. */
#pragma once

#include "admin/actor.h"
#include "admin/admin.h"
#include "admin/api_routes.h"

struct local {
	struct store *store;
	struct ca *ca;
	struct profiles *profiles;
	struct api *api;
	struct identity *identity;    /* "operator NAME" */
};
void local_close(struct local *local);
declare_auto_value(local, local_close);

/* signs: the CA is opened with its keys. */
bool local_open(const struct command_call *call, bool signs, struct local *ret, struct problem *p) must_use;
/* Names a row of the API's table; ret is its reply. */
bool local_ask(struct local *local, const char *route, const char *id, const struct buf *body,
               struct http_response *ret, struct problem *p) must_use;
