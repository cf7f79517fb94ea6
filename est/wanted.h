/* Wanted: what a 401 asks for (RFC 9110, 11.6.1). Any thread. Internal to est/. */
#pragma once

#include "est/call.h"

/* Adds a WWW-Authenticate header for each way of HTTP that the label takes. The first is what simple clients use:
 * libest's, which knows MD5 alone, takes whatever comes first. */
void wanted_write(struct est *est, const struct authentication *authentication, bool stale,
                  struct http_response *response);
