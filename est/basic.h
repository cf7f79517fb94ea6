/* Basic: the enrollment code in an Authorization header (RFC 7617). Any thread. */
#pragma once

#include "base/http.h"

enum { BASIC_CODE_SIZE = 128 };

/* The code: the password whatever the user's name; the user's name where the password is empty; all of
 * it where there is no colon. "" without such a header. MALFORMED. The caller wipes ret. */
bool basic_code(const struct http_request *request, char ret[BASIC_CODE_SIZE], struct problem *p) must_use;
