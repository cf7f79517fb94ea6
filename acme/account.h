/* Account: its JSON form (RFC 8555, 7.1.2), and how it is found by its key. Internal to acme/. */
#pragma once

#include "acme/call.h"

/* The account as the reply's body. */
bool acme_account_reply(struct acme_call *call, const struct account *account, int status,
                        struct problem *p) must_use;
