/* Text: DER in base64 as a client can read it, and the reply that is such a text. Any thread. */
#pragma once

#include "est/call.h"

/* Appends the base64 of the DER, in lines as this client can read them or the label says. */
void text_wrap(const struct est_call *call, struct bytes der, struct buf *ret);
/* The whole reply of status 200. */
bool text_reply(struct est_call *call, const char *content_type, struct bytes der, struct problem *p) must_use;
