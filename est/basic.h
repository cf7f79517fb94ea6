/* Basic: what stands in an Authorization header of that scheme (RFC 7617). Any thread. */
#pragma once

#include "policy/password.h"

enum { BASIC_USER_SIZE = 129, BASIC_PASSWORD_SIZE = PASSWORD_MAX + 1 };

struct basic {
	char user[BASIC_USER_SIZE];          /* "" without */
	char password[BASIC_PASSWORD_SIZE];
	bool colon;                          /* there was one; else all stands in password */
};
/* Whether the header is of the scheme. */
bool basic_is(const char *header) must_use;
/* UTF-8 without control characters. MALFORMED. The caller wipes ret. */
bool basic_read(const char *header, struct basic *ret, struct problem *p) must_use;
/* What may be an enrollment code: the password, whatever the user's name; the user's name where the password is empty;
 * all of it where there is no colon. Borrowed. */
const char *basic_code(const struct basic *basic);
