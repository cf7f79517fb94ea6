/* Policy as JSON: as it would stand among `policies` of the configuration. Internal to admin/, and for the server's
 * commands. Any thread. */
#pragma once

#include "base/json.h"
#include "policy/policy.h"

/* An object; member NULL: an entry of a list, or the document. */
void policy_put(struct json_writer *w, const char *member, const struct policy *policy);
