/* Query: what stands behind the `?` of a request, held to the row's list. Internal to admin/. */
#pragma once

#include "admin/api_routes.h"

/* Adds a part for each name that the row does not know, that comes twice or is missing, or whose value is empty, too
 * long, no text, not of its type, or none of the choices. */
void api_query_check(const struct api_route *route, const struct http_request *request, struct problem *parts);
/* Values of a query that was checked; a part of `parts` where memory is out. */
int64_t api_query_time(const struct api_call *call, const char *name, struct problem *parts);  /* 0: not given */
void api_query_after(const struct api_call *call, char ret[STORE_CURSOR_SIZE], struct problem *parts); /* "" at first */
size_t api_query_limit(const struct api_call *call, struct problem *parts);                    /* of a page */
