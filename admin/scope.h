/* Scope: what ACME accounts may order, as commands are told it and show it. Internal to admin/. */
#pragma once

#include "admin/command.h"
#include "base/json.h"
#include "store/audit.h"
#include "store/scope.h"

#define SCOPE_OPTIONS                                                                                           \
	{ "--profile", "NAME[,NAME...]", "the profiles that can be ordered; without: all" },                    \
	{ "--name", "PATTERN[,PATTERN...]",                                                                     \
	  "what can be ordered, such as dns:**.lab.example or ip:10.0.0.0/8; without: all" },                   \
	{ "--authorize", "PATTERN[,PATTERN...]", "what is authorized without a challenge" },                    \
	{ "--network", "CIDR[,CIDR...]", "where requests may come from; without: anywhere" },                   \
	{ "--quota", "N/DURATION", "certificates in a time, such as 10/1d; without: any number" },              \
	{ "--quota-total", "N", "certificates in all; without: any number" }

/* What the texts of a scope are kept in. */
struct scope_words {
	struct strings profiles, names, authorized, networks;
};
void scope_words_free(struct scope_words *words);
declare_auto_value(scope_words, scope_words_free);

/* Changes what the options say; the rest stays. "any" takes a limit away. MALFORMED, NOT_FOUND. */
bool scope_read(const struct command_call *call, struct scope_words *words, struct scope *scope, struct problem *p)
	must_use;
/* Members of an open object. */
void scope_put(struct json_writer *w, const struct scope *scope);
/* Lines with a label each; nothing of what has no limit. */
void scope_add(const struct scope *scope, struct buf *ret);
/* The same on one line. */
void scope_add_short(const struct scope *scope, struct buf *ret);
