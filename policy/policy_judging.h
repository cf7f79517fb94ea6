/* Judging: one part of a request held against a policy, of which each verdict is told. What policy_judge.c (subject and
 * names) and policy_usage.c (keys, usages, life) share. Internal to policy/. */
#pragma once

#include "policy/policy.h"

struct judging {
	const struct policy *policy;
	const struct policy_request *request;
	policy_visit *visit;
	void *arg;
	bool held; /* so far */
};

/* Tells that a rule of a field held, or was broken: field as the configuration calls it, value and name as asked for,
 * or NULL. */
void policy_hold(struct judging *j, const char *field, const char *rule, const char *value,
                 const struct identifier *name);
void policy_violate(struct judging *j, const char *field, const char *rule, const char *value,
                    const struct identifier *name, const char *fmt, ...) printf_like(6, 7);

/* Whether the policy says anything of a field. */
static inline bool policy_is_mentioned(const struct policy_values *values)
{
	return values->required.n + values->allow.n + values->deny.n > 0;
}

void policy_judge_key(struct judging *j);
void policy_judge_signature(struct judging *j);
void policy_judge_key_usage(struct judging *j);
void policy_judge_extended_key_usage(struct judging *j);
void policy_judge_basic_constraints(struct judging *j);
void policy_judge_validity(struct judging *j);
