/* Issue value: the grammar of CAA's issue and issuewild properties (RFC 8659, 4.2), which dns-persist-01
 * borrows for its records. Values that borrow the text; any thread. Internal to acme/. */
#pragma once

#include "base/bytes.h"

enum { ISSUE_PARAMETERS_MAX = 16 };
struct issue_parameter {
	struct bytes tag, value;
};
struct issue_value {
	struct bytes domain;         /* len 0: nobody's; its labels count by being those of a name of ours */
	struct issue_parameter parameters[ISSUE_PARAMETERS_MAX];
	size_t n;
};
/* false: it does not follow the grammar, or has more parameters than there is room for. */
bool issue_value_parse(struct bytes text, struct issue_value *ret) must_use;
/* How many parameters have the tag, in any case, and the last of them. */
size_t issue_value_find(const struct issue_value *value, const char *tag, struct bytes *ret);
bool issue_value_domain_is(const struct issue_value *value, const struct strings *names) must_use; /* any of them */
/* Equal but for case. */
bool issue_text_is(struct bytes b, const char *text) must_use;
