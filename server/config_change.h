/* Config change: what of a new configuration a server that runs does not take up. Any thread. */
#pragma once

#include "server/config.h"

/* Appends the keys that differ and that only a restart reads, as `webhook.timeout`, with commas between. */
void config_restart_keys(const struct config *running, const struct config *next, struct buf *ret);
