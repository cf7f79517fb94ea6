/* Text: DER in base64 as a client can read it, and the reply that is such a text. Any thread. */
#pragma once

#include "est/call.h"

/* Whether the client is one of those that say nothing of themselves, neither User-Agent nor Accept: strongSwan before
 * 5.9.11, Bouncy Castle. */
bool text_is_bare(const struct http_request *request) must_use;
/* Appends the base64 of the DER, in lines as this client can read them or the label says. */
void text_wrap(const struct est_call *call, struct bytes der, struct buf *ret);
/* The whole reply of status 200. */
bool text_reply(struct est_call *call, const char *content_type, struct bytes der, struct problem *p) must_use;
