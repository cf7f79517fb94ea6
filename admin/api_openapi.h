/* OpenAPI: how the description of the API is written, part by part. Internal to admin/. */
#pragma once

#include "admin/api_routes.h"

/* "$ref": "#/components/SECTION/NAME". */
void api_openapi_ref(struct json_writer *w, const char *section, const char *name);
/* "schema": of a parameter; of a name in the path where there is none. */
void api_openapi_parameter(struct json_writer *w, const struct api_parameter *parameter);
/* "schemas": those of all routes, and what they refer to, each once. */
void api_openapi_schemas(struct json_writer *w);
/* "responses": the refusals, each once. */
void api_openapi_refusals(struct json_writer *w);
/* Of each refusal that a route can answer with, by its status. There is no `default`: clients made from the description
 * take it for what they do not know to read, as files. */
void api_openapi_refuses(struct json_writer *w, const struct api_route *route);
/* "content": of one media type. schema NULL: a file. */
void api_openapi_content(struct json_writer *w, const char *type, const struct api_object *schema);
/* "headers": those that come along; up to two names, NULL: none. */
void api_openapi_headers(struct json_writer *w, const char *first, const char *second);
