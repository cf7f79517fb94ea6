#include "policy/gate_case.h"
#include "policy/scope.h"

bool gate_scope_profile(const struct gate_case *c, struct problem *p)
{
	return scope_opens(&c->account.scope, c->profile->name) ||
	       problem_add(p, PROBLEM_INVALID_PROFILE, NULL, NULL,
	                   "profile %s is not one that this account may order by", c->profile->name);
}

bool gate_scope_quota(const struct gate_case *c, struct problem *p)
{
	return !problem_is_set(&c->no_room) || gate_case_part(p, &c->no_room, NULL);
}

/* It may have been narrowed since the order was made. */
bool gate_scope_names(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->identifier_count; i++) {
		auto_value(problem) why = {0};
		if (!scope_allows(&c->account.scope, &c->identifiers[i], &why))
			held = gate_case_part(p, &why, &c->identifiers[i]);
	}
	return held;
}

/* What nobody has proven is worth what the scope says now. */
bool gate_scope_granted(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->identifier_count && i < c->authorization_count; i++) {
		const struct identifier *name = &c->identifiers[i];
		if (c->authorizations[i].granted && !scope_authorizes(&c->account.scope, name))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                   "%s is not authorized without a challenge any more", name->value);
	}
	return held;
}
