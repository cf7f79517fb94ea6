/* Search: certificates of the inventory by what is known of them, page by page. Internal to admin/.
 *
 * A search reads one index, the narrowest that its query names, or a few one after the other, and drops the rows
 * that do not fit the rest. It looks at so many rows at most for a page; a page can be short, even empty, and not
 * be the last. So what a page costs does not grow with the inventory. One thread. */
#pragma once

#include "admin/api_call.h"

struct search;
/* What the query of the call asks for; profile NULL: what `profile` in it says. Parts where it is wrong. */
bool search_open(const struct api_call *call, const char *profile, struct search **ret, struct problem *p) must_use;
/* One page, as the members `certificates` and `next` of an object that is open. */
bool search_run(struct search *search, struct json_writer *w, struct problem *p) must_use;
void search_free(struct search *search);
declare_auto_struct(search, search_free);
