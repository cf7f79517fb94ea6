/* Scope: what ACME accounts may order, as an operator said it: a part of the records of external account keys,
 * whose accounts inherit it, and of accounts. policy/scope.h judges by it. */
#pragma once

#include "store/record.h"

struct scope {
	struct record_texts names;       /* patterns, "dns:**.example.com", of what may be ordered; none: whatever the profile allows */
	struct record_texts authorized;  /* of what is authorized without a challenge, and so may be ordered as well */
	struct record_texts profiles;    /* none: all */
	struct record_texts networks;    /* where requests may come from, "10.0.0.0/8"; none: anywhere */
	int64_t quota, quota_period;     /* certificates in a period of so many seconds; quota 0: no limit */
	int64_t quota_total;             /* in all; 0: no limit */
	int64_t spent, spent_since;      /* of the period that began then */
	int64_t spent_total;
};
/* Rows of the table of fields of a record that has one as `scope`; tags from `tag` on, nine of them. */
#define SCOPE_FIELDS(tag, s)                                                                       \
	record_texts((tag), s, scope.names), record_texts((tag) + 1, s, scope.authorized),         \
	record_texts((tag) + 2, s, scope.networks), record_integer((tag) + 3, s, scope.quota),     \
	record_integer((tag) + 4, s, scope.quota_period), record_integer((tag) + 5, s, scope.quota_total), \
	record_integer((tag) + 6, s, scope.spent), record_time((tag) + 7, s, scope.spent_since), \
	record_integer((tag) + 8, s, scope.spent_total)
