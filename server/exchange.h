/* Exchange: one request and its reply, from the head that civetweb read to the line in the log. */
#pragma once

#include "server/connection.h"
#include "server/request.h"
#include "server/router.h"

/* The listener as its requests see it. Shared by threads. */
struct exchange_site {
	const struct router *router;
	struct request_place place;
	size_t body_max;
	bool access_log;
	_Atomic uint64_t requests, refused;
};

/* Serves the request whose head is read. Returns the reply's status. */
int exchange_serve(struct exchange_site *site, struct connection *connection);
/* Answers what civetweb could not read as a request; status is its judgement. Ends the connection. */
void exchange_refuse(struct exchange_site *site, struct connection *connection, int status);
