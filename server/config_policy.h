/* Config policy: the policies of the file, and what a profile takes from the one that it names. Internal
 * to server/config*.c. */
#pragma once

#include "server/config.h"
#include "server/config_text.h"

bool config_policy_make(const struct config_policy *row, struct policy **ret, struct problem *p) must_use;
/* Of the file, or built in. NOT_FOUND. */
bool config_policy_find(const struct config *config, const char *name, struct policy **ret, struct problem *p) must_use;
bool config_policies_check(const struct config *config, const struct config_text *text, struct problem *p) must_use;
/* Completes the i-th profile by its policy's defaults; no policy is fine. */
bool config_policy_complete(struct config *config, size_t i, const struct config_text *text, struct problem *p)
	must_use;
/* server/config_profile.c: usages by name or OID, as OIDs. */
bool config_usages(const struct strings *names, struct strings *ret, struct problem *p) must_use;
