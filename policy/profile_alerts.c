#include "base/clock.h"
#include "policy/profile.h"

enum { DAY = 86400 };

const struct profile_alerts profile_default_alerts = { .before = { DAY, 7 * DAY, 30 * DAY }, .n = 3 };

/* Rising, each once. */
static bool add(struct profile_alerts *alerts, int64_t before)
{
	size_t at = 0;

	while (at < alerts->n && alerts->before[at] < before)
		at++;
	if (at < alerts->n && alerts->before[at] == before)
		return true;
	if (alerts->n == PROFILE_ALERTS_MAX)
		return false;
	memmove(&alerts->before[at + 1], &alerts->before[at], (alerts->n - at) * sizeof(alerts->before[0]));
	alerts->before[at] = before;
	alerts->n++;
	return true;
}

bool profile_alerts_parse(const struct strings *texts, struct profile_alerts *ret, struct problem *p)
{
	struct profile_alerts alerts = texts->n == 0 ? profile_default_alerts
	                                             : (struct profile_alerts){ .given = true };
	int64_t before;

	bool none = texts->n == 1 && str_equal(texts->v[0], "none");
	for (size_t i = 0; !none && i < texts->n; i++) {
		if (!clock_parse_duration(texts->v[i], &before) || before > PROFILE_ALERT_MAX)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "expected a duration of up to 5y, or `none` alone, got `%s`", texts->v[i]);
		if (!add(&alerts, before))
			return problem_set(p, PROBLEM_MALFORMED, "expected at most %d times", PROFILE_ALERTS_MAX);
	}
	*ret = alerts;
	return true;
}
