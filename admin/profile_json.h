/* Profile as JSON, for commands and the API: what it demands, by what methods it is had, who issues. Any thread. */
#pragma once

#include "base/json.h"
#include "policy/profile.h"

/* An entry of a list, or, whole, a document with all that its policy says as the member `rules`. */
void profile_put(struct json_writer *w, const struct profile *profile, bool whole);
/* The server's own profile is nobody's to ask for. */
bool profile_is_public(const struct profile *profile) must_use;
