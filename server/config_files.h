/* Config files: whether what the configuration names beside itself can be used as a start or a reload would use it:
 * certificates, keys, lists, secrets, and the CA. Reads, and changes nothing but what every reader of a secret in
 * the environment does: the variable is wiped. One thread. */
#pragma once

#include "server/config.h"

/* A refusal's text names file, line, column and key. ret_skipped: a line for each thing that could not be looked at
 * from here. */
bool config_files_check(const struct config *config, struct strings *ret_skipped, struct problem *p) must_use;
