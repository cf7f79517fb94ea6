/* Match: whether a value is one that a pattern of a policy means. Internal to policy/. Any thread. */
#pragma once

#include "policy/policy.h"
#include "policy/pattern.h"

#define POLICY_ANY_NAME "{name}"

/* name: the value as an identifier; NULL where the field's values are texts. */
bool policy_match(enum policy_field field, const char *pattern, const struct policy_request *request, const char *value,
                  const struct identifier *name) must_use;
/* The same for a list: any of it. */
bool policy_match_any(enum policy_field field, const struct strings *patterns, const struct policy_request *request,
                      const char *value, const struct identifier *name) must_use;
/* Whether "{...}" stands in the pattern. */
bool policy_pattern_bound(const char *pattern) must_use;
/* MALFORMED: the pattern is none of the field. */
bool policy_pattern_check(enum policy_field field, const char *pattern, struct problem *p) must_use;
