#include "admin/option.h"

#include <errno.h>

#include "base/clock.h"
#include "policy/pattern.h"

bool option_expires(const char *text, int64_t now, int64_t *ret, struct problem *p)
{
	int64_t seconds;
	if (!text)
		return true;
	if (clock_parse_duration(text, &seconds) && seconds > 0)
		*ret = now + seconds;
	else if (!clock_parse(text, ret) || *ret <= now)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--expires: expected a duration such as 30d or a time to come such "
		                   "as 2027-01-31T00:00:00Z, got `%s`", text);
	return true;
}

bool option_number(const char *option, const char *text, int64_t min, int64_t *ret, struct problem *p)
{
	char *end = NULL;
	if (!text)
		return true;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < min)
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected a number from %lld, got `%s`", option,
		                   (long long)min, text);
	*ret = value;
	return true;
}

bool option_list(const char *text, struct strings *ret, struct problem *p)
{
	auto_free char *copy = strdup(text ?: "");
	char *save = NULL;
	if (!copy)
		return problem_memory(p);
	for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save))
		if (!strings_has(ret, one) && !strings_add(ret, one))
			return problem_memory(p);
	return true;
}

bool option_profiles(const struct admin *admin, const char *text, struct strings *ret, struct problem *p)
{
	if (!option_list(text, ret, p))
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (!strings_has(admin->profiles, ret->v[i]))
			return problem_set(p, PROBLEM_NOT_FOUND, "--profile: there is no profile %s", ret->v[i]);
	return true;
}

bool option_names(const char *text, struct strings *ret, struct problem *p)
{
	auto_value(problem) why = {0};
	if (!option_list(text, ret, p))
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (!pattern_typed_check(ret->v[i], &why))
			return problem_set(p, why.kind, "--name: %s: %s", ret->v[i], why.detail);
	return true;
}
