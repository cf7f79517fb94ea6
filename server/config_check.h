/* Config check: what the keys must be to each other, and the defaults that other keys or the host
 * decide. Internal to server/config*.c. */
#pragma once

#include "server/config.h"
#include "server/config_text.h"

bool config_check(struct config *config, const struct config_text *text, struct problem *p) must_use;
/* server/config_profile.c: the profile that the row describes. */
bool config_profile_make(const struct config *config, const struct config_profile *row, struct profile **ret,
                         struct problem *p) must_use;
