#include "admin/api_scope.h"

#include <stdio.h>

#include "policy/pattern.h"
#include "policy/scope.h"

typedef bool check(const struct api_call *call, const char *text, struct problem *p);

static bool is_profile(const struct api_call *call, const char *text, struct problem *p)
{
	return profiles_find(call->profiles, text) || problem_set(p, PROBLEM_NOT_FOUND, "there is no such profile");
}

static bool is_pattern(const struct api_call *call, const char *text, struct problem *p)
{
	(void)call;
	return pattern_typed_check(text, p);
}

static bool is_network(const struct api_call *call, const char *text, struct problem *p)
{
	struct addr_net net;

	(void)call;
	return addr_net_parse(text, &net) || problem_set(p, PROBLEM_MALFORMED, "expected a network, as 10.0.0.0/8");
}

static void take(const struct api_call *call, const char *name, check *good, struct strings *words,
                 struct record_texts *ret, struct problem *parts)
{
	const struct json *list = json_member(call->body, name);

	if (!list)
		return;
	for (size_t i = 0; i < json_length(list); i++) {
		auto_value(problem) why = {0};
		const char *text = json_string(json_at(list, i));
		char field[32];
		snprintf(field, sizeof(field), "%s[%zu]", name, i);
		if (!good(call, text, &why))
			problem_add_field(parts, why.kind, field, text, "%s", why.detail);
		else if (!strings_has(words, text) && !strings_add(words, text))
			problem_memory(parts);
	}
	*ret = record_texts_of(words);
}

static void take_quotas(const struct api_call *call, struct scope *scope, struct problem *parts)
{
	bool said = json_member(call->body, "quota") || json_member(call->body, "quotaPeriod");

	(void)!json_integer(json_member(call->body, "quota"), &scope->quota);
	(void)!json_integer(json_member(call->body, "quotaPeriod"), &scope->quota_period);
	(void)!json_integer(json_member(call->body, "quotaTotal"), &scope->quota_total);
	if (said && scope->quota == 0)
		scope->quota_period = 0;
	if (said && scope->quota > 0 && scope->quota_period == 0)
		problem_add_field(parts, PROBLEM_MALFORMED, "quotaPeriod", NULL,
		                  "is missing: a quota is for so many seconds");
}

void api_scope_read(const struct api_call *call, struct scope_words *words, struct scope *scope, struct problem *parts)
{
	take(call, "profiles", is_profile, &words->profiles, &scope->profiles, parts);
	take(call, "names", is_pattern, &words->names, &scope->names, parts);
	take(call, "authorized", is_pattern, &words->authorized, &scope->authorized, parts);
	take(call, "networks", is_network, &words->networks, &scope->networks, parts);
	take_quotas(call, scope, parts);
}
