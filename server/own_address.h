/* Own address: where this server's listeners can be reached, for the probes that must not go there
 * (base/outbound.h). Any thread. */
#pragma once

#include "server/config.h"

/* The addresses of the listeners on a port that http-01 probes use; those of all interfaces, as they
 * are now, for a listener that takes any. Appended. */
bool own_addresses(const struct config *config, struct addr_list *ret, struct problem *p) must_use;
