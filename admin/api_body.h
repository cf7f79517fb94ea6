/* Body: what a client sent, held to a schema (admin/api_schema.h). Internal to admin/. */
#pragma once

#include "admin/api_schema.h"
#include "base/json.h"

/* Adds a part for each field that is missing, unknown, of another type, too long, or has bytes that its type
 * does not; NULL or no object is one part. field names are paths: "attributes.ttl", "metadata[2].key". */
void api_body_check(const struct api_object *object, const struct json *body, struct problem *parts);

/* Of a text, or of a list: the field's own, or that of its type. */
int64_t api_field_max(const struct api_field *field);
/* C0 but for these, DEL, and C1 (U+0080 to U+009F), of UTF-8. */
bool api_text_has_control(const char *text, const char *except);
size_t api_text_length(const char *text); /* in characters, as JSON Schema counts */
