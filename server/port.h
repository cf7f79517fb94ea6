/* Port: an address and port that could not be listened on, and why. Any thread. */
#pragma once

#include "base/addr.h"

/* Whether it can be listened on at this moment. INTERNAL names it, and what helps. */
bool port_check(const struct addr *address, unsigned port, struct problem *p) must_use;
