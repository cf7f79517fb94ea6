/* Commands: the rows of sub-commands that need the whole server, and what the operator's commands
 * are told of a configuration. */
#pragma once

#include "admin/admin.h"
#include "server/config.h"

extern const struct command server_serve_command, server_check_config_command, server_routes_command;
extern const struct command server_profile_list, server_profile_show;
extern const struct command server_policy_list, server_policy_show, server_policy_test;

/* A JSON object as YAML, each member on a line, an entry of a list. */
void commands_print_yaml(const char *json, FILE *out);

/* Borrows from config; ret_profiles is filled and stays the caller's. */
bool commands_admin(const struct config *config, struct strings *ret_profiles, struct admin *ret,
                    struct problem *p) must_use;
