/* Option: values of command-line options that several commands know. Internal to admin/. */
#pragma once

#include "admin/admin.h"

/* --expires: a duration from now or a time to come; NULL: *ret stays. */
bool option_expires(const char *text, int64_t now, int64_t *ret, struct problem *p) must_use;
/* A number from min on, in digits alone; NULL: *ret stays. */
bool option_number(const char *option, const char *text, int64_t min, int64_t *ret, struct problem *p) must_use;
/* --profile: names of profiles between commas, each of which exists; NULL: none. */
bool option_profiles(const struct admin *admin, const char *text, struct strings *ret, struct problem *p) must_use;
/* --name: patterns of names between commas, as dns:**.example.com; NULL: none. */
bool option_names(const char *text, struct strings *ret, struct problem *p) must_use;
/* The texts between commas, each once. */
bool option_list(const char *text, struct strings *ret, struct problem *p) must_use;
