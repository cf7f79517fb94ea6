/* POST certificates/renew-now: as the command does it, for what the token may see. */
#include <ctype.h>

#include "admin/advice.h"
#include "admin/api_call.h"
#include "admin/filter.h"
#include "base/clock.h"

enum { PAGES_MAX = 50, KEY_MAX = 32 };

/* "expires-after" is "expiresAfter" here. */
static const char *value_of(const void *arg, const char *key)
{
	const struct json *filter = json_member(arg, "filter");
	char name[KEY_MAX];
	size_t n = 0;

	for (const char *c = key; *c && n + 1 < sizeof(name); c++)
		name[n++] = *c == '-' && c[1] ? (char)toupper((unsigned char)*++c) : *c;
	name[n] = '\0';
	return json_member_string(filter, name);
}

static bool sees(const void *arg, const char *profile)
{
	return api_sees(arg, profile);
}

static bool take_advice(const struct api_call *call, struct advice *ret, struct problem *p)
{
	const char *over = json_member_string(call->body, "over");
	auto_value(problem) parts = {0}, why = {0};

	ret->why = json_member_string(call->body, "explanationUrl");
	if (json_member(call->body, "undo") && !json_bool(json_member(call->body, "undo"), &ret->undo))
		problem_add_field(&parts, PROBLEM_MALFORMED, "undo", NULL, "expected true or false");
	if (over && !clock_parse_duration(over, &ret->over))
		problem_add_field(&parts, PROBLEM_MALFORMED, "over", over, "expected a duration such as 6h");
	else if (!advice_check(ret, &why))
		api_gather(&parts, &why, "explanationUrl");
	if (json_length(json_member(call->body, "filter")) == 0)
		problem_add_field(&parts, PROBLEM_MALFORMED, "filter", NULL, "expected at least one member");
	return api_settle(&parts, p);
}

static bool take_filter(const struct api_call *call, struct filter *filter, struct buf *ret_words, struct problem *p)
{
	const struct json *asked = json_member(call->body, "filter");
	const struct token *token = identity_token(call->identity);

	filter->query = (struct search_query){
		.now = call->now,
		.sees = sees,
		.sees_arg = call,
		.scope = token ? token->profiles : (struct record_texts){ 0 },
	};
	for (size_t i = 0; i < json_length(asked); i++)
		buf_printf(ret_words, "%s%s=%s", i ? "," : "", json_name(json_at(asked, i)),
		           json_string(json_at(asked, i)) ?: "");
	return filter_read(filter, value_of, call->body, "filter: ", p) && buf_check(ret_words, p);
}

static void reply(struct api_call *call, size_t count, const char *next)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put_integer(&w, "count", (int64_t)count);
	json_put(&w, "next", next);
	json_close(&w);
}

static bool resume(const struct api_call *call, struct search *search, struct problem *p)
{
	const char *after = json_member_string(call->body, "after");

	return !after || search_resume(search, after) ||
	       problem_set(p, PROBLEM_MALFORMED, "after: expected the `next` of a reply to the same filter");
}

/* So many in one request; `next` says where another goes on. */
bool api_certificate_renew_now(struct api_call *call, struct problem *p)
{
	struct advice advice = { .now = call->now, .actor = identity_text(call->identity), .from = call->from };
	auto_value(filter) filter = {0};
	auto_struct(search) *search = NULL;
	auto_value(buf) words = {0};
	char next[SEARCH_CURSOR_SIZE];
	size_t count = 0;
	bool more = true;

	if (!take_advice(call, &advice, p) || !take_filter(call, &filter, &words, p) ||
	    !search_new(&filter.query, &search, p) || !resume(call, search, p))
		return false;
	advice.filter = buf_text(&words);
	for (int i = 0; i < PAGES_MAX && more; i++) {
		if (!advice_give(call->api->store, search, &advice, &count, p))
			return false;
		more = search_next(search, next);
	}
	reply(call, count, more ? next : NULL);
	return buf_check(&call->response->body, p);
}
