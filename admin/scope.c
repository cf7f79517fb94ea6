#include "admin/scope.h"

#include "admin/option.h"
#include "base/clock.h"
#include "policy/scope.h"

void scope_words_free(struct scope_words *words)
{
	strings_free(&words->profiles);
	strings_free(&words->names);
	strings_free(&words->authorized);
	strings_free(&words->networks);
}

/* --- options */

static bool take_list(const struct command_call *call, const char *option, struct strings *words,
                      struct record_texts *ret, struct problem *p)
{
	const char *text = command_value(call, option);

	if (!text)
		return true;
	if (!str_equal(text, "any") && !option_list(text, words, p))
		return false;
	*ret = record_texts_of(words);
	return true;
}

/* "10/1d" */
static bool parse_quota(const char *text, int64_t *ret_count, int64_t *ret_period, struct problem *p)
{
	size_t digits = strcspn(text, "/");
	auto_free char *count = strndup(text, digits);

	if (!count)
		return problem_memory(p);
	if (text[digits] != '/' || !clock_parse_duration(text + digits + 1, ret_period) || *ret_period == 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--quota: expected a number and a time such as 10/1d, got `%s`", text);
	return option_number("--quota", count, 1, ret_count, p);
}

static bool take_quota(const struct command_call *call, struct scope *scope, struct problem *p)
{
	const char *text = command_value(call, "--quota");
	int64_t count = 0, period = 0;

	if (!text)
		return true;
	if (!str_equal(text, "any") && !parse_quota(text, &count, &period, p))
		return false;
	scope->quota = count;
	scope->quota_period = period;
	return true;
}

static bool take_total(const struct command_call *call, struct scope *scope, struct problem *p)
{
	const char *text = command_value(call, "--quota-total");

	if (!text || !str_equal(text, "any"))
		return option_number("--quota-total", text, 1, &scope->quota_total, p);
	scope->quota_total = 0;
	return true;
}

static bool take_profiles(const struct command_call *call, struct scope_words *words, struct scope *scope,
                          struct problem *p)
{
	const char *text = command_value(call, "--profile");

	if (!text)
		return true;
	if (!str_equal(text, "any") && !option_profiles(call->admin, text, &words->profiles, p))
		return false;
	scope->profiles = record_texts_of(&words->profiles);
	return true;
}

bool scope_read(const struct command_call *call, struct scope_words *words, struct scope *scope, struct problem *p)
{
	return take_profiles(call, words, scope, p) && take_list(call, "--name", &words->names, &scope->names, p) &&
	       take_list(call, "--authorize", &words->authorized, &scope->authorized, p) &&
	       take_list(call, "--network", &words->networks, &scope->networks, p) && take_quota(call, scope, p) &&
	       take_total(call, scope, p) && scope_check(scope, p);
}

/* --- showing */

static void put_some(struct json_writer *w, const char *name, const struct record_texts *texts)
{
	if (texts->n > 0)
		json_put_texts(w, name, texts->v, texts->n);
}

void scope_put(struct json_writer *w, const struct scope *scope)
{
	json_put_texts(w, "profiles", scope->profiles.v, scope->profiles.n);
	put_some(w, "names", &scope->names);
	put_some(w, "authorized", &scope->authorized);
	put_some(w, "networks", &scope->networks);
	if (scope->quota) {
		json_put_integer(w, "quota", scope->quota);
		json_put_integer(w, "quotaPeriod", scope->quota_period);
		json_put_integer(w, "spent", scope->spent);
		json_put_time(w, "spentSince", scope->spent_since);
	}
	if (scope->quota_total)
		json_put_integer(w, "quotaTotal", scope->quota_total);
	if (scope->quota || scope->quota_total)
		json_put_integer(w, "spentTotal", scope->spent_total);
}

/* What a scope says, as rows of a label and a text. */
static void add_row(struct buf *ret, bool lines, const char *label, const struct record_texts *texts)
{
	if (texts->n == 0)
		return;
	buf_printf(ret, lines ? "%-13s" : "  %s ", label);
	for (size_t i = 0; i < texts->n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", texts->v[i]);
	buf_add_str(ret, lines ? "\n" : "");
}

static void add_quotas(const struct scope *scope, bool lines, struct buf *ret)
{
	const char *end = lines ? "\n" : "";

	if (scope->quota) {
		buf_printf(ret, lines ? "%-13s" : "  %s ", "quota");
		buf_printf(ret, "%lld/%lld in %llds%s", (long long)scope->spent, (long long)scope->quota,
		           (long long)scope->quota_period, end);
	}
	if (scope->quota_total) {
		buf_printf(ret, lines ? "%-13s" : "  %s ", "in all");
		buf_printf(ret, "%lld/%lld%s", (long long)scope->spent_total, (long long)scope->quota_total, end);
	}
}

static void add_names(const struct scope *scope, bool lines, struct buf *ret)
{
	add_row(ret, lines, "may order", &scope->names);
	add_row(ret, lines, "unchallenged", &scope->authorized);
	add_row(ret, lines, "only from", &scope->networks);
	add_quotas(scope, lines, ret);
}

void scope_add(const struct scope *scope, struct buf *ret)
{
	add_row(ret, true, "profiles", &scope->profiles);
	add_names(scope, true, ret);
}

void scope_add_short(const struct scope *scope, struct buf *ret)
{
	add_names(scope, false, ret);
}
