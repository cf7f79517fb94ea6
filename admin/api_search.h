/* Search of the REST API: what a query asks for, and a page of what is found. Internal to admin/. */
#pragma once

#include "admin/api_call.h"

/* One page, as the members `certificates` and `next` of an object that is open. profile NULL: what `profile` in the
 * query says. Parts where the query is wrong. */
bool api_search(const struct api_call *call, const char *profile, struct json_writer *w, struct problem *p) must_use;
