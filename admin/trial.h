/* Trial: what `gate_test` tells of a CSR, as three JSON arrays, for the API and for `enrolld policy test`.
 * A `struct trial` belongs to its caller; not thread-safe. */
#pragma once

#include "base/json.h"
#include "base/problem.h"
#include "policy/gate.h"

struct trial {
	struct buf rules, verdicts, errors;
	struct json_writer rules_writer, verdicts_writer, errors_writer;
};
void trial_begin(struct trial *ret);
/* For struct gate_test's rule and verdict. */
void trial_rule(struct trial *trial, const char *name, bool held, const struct problem *p);
void trial_verdict(struct trial *trial, const struct policy_verdict *verdict);
/* Ends the arrays and puts them as the members "errors", "rules" and "verdicts"; the first as in a refusal of the
 * API. The writer's buffer fails with theirs. */
bool trial_put(struct trial *trial, struct json_writer *w, struct problem *p) must_use;
void trial_free(struct trial *trial);
declare_auto_value(trial, trial_free);
