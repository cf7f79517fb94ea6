/* Body: what a client sent, held to a schema (admin/api_schema.h). Internal to admin/. */
#pragma once

#include "admin/api_schema.h"
#include "base/json.h"

/* Adds a part for each field that is missing, unknown, of another type, too long, or has bytes that its type
 * does not; NULL or no object is one part. field names are paths: "attributes.ttl", "metadata[2].key". */
void api_body_check(const struct api_object *object, const struct json *body, struct problem *parts);
