/* renew-now: clients that ask for renewal information (RFC 9773) are told to renew what matches. */
#include "admin/actor.h"
#include "admin/advice.h"
#include "admin/filter.h"
#include "admin/listing.h"
#include "base/clock.h"

enum { PAIRS_MAX = 16 };

static const struct command_option options[] = {
	{ "--filter", "KEY=VALUE[,KEY=VALUE...]",
	  "what matches; the keys are the options below, without their dashes" },
	FILTER_OPTIONS,
	{ "--all", NULL, "all certificates: where nothing says which" },
	{ "--over", "DURATION", "spread the renewals over this time; without: at once" },
	{ "--explanation", "URL", "a page that says why, for clients to show" },
	{ "--undo", NULL, "the times of the profiles again" },
	{ 0 },
};

struct renewing {
	const struct command_call *call;
	char *text;                        /* of --filter, cut into its pairs */
	struct { const char *key, *value; } pairs[PAIRS_MAX];
	size_t count;
	struct buf words;                  /* all that was asked for, for the audit log */
	struct filter filter;
	struct search *search;
};

static void renewing_free(struct renewing *r)
{
	free(r->text);
	buf_free(&r->words);
	filter_free(&r->filter);
	search_free(r->search);
}
declare_auto_value(renewing, renewing_free);

static bool is_key(const char *key)
{
	static const struct command_option keys[] = { FILTER_OPTIONS };

	for (size_t i = 0; i < array_length(keys); i++)
		if (str_equal(keys[i].name + 2, key))
			return true;
	return false;
}

/* A comma ends a pair where a key of ours follows it: values may have commas. */
static char *next_pair(char *at)
{
	for (char *comma = strchr(at, ','); comma; comma = strchr(comma + 1, ',')) {
		auto_free char *key = strndup(comma + 1, strcspn(comma + 1, "="));
		if (!key || !is_key(key))
			continue;
		*comma = '\0';
		return comma + 1;
	}
	return NULL;
}

static bool read_pairs(struct renewing *r, struct problem *p)
{
	const char *text = command_value(r->call, "--filter");

	if (!text)
		return true;
	r->text = strdup(text);
	if (!r->text)
		return problem_memory(p);
	for (char *at = r->text; at && *at;) {
		char *next = next_pair(at), *equals = strchr(at, '=');
		if (equals)
			*equals = '\0';
		if (!equals || !is_key(at) || r->count == PAIRS_MAX)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "--filter: expected KEY=VALUE with a KEY such as `profile`, got `%s`",
			                   at);
		r->pairs[r->count].key = at;
		r->pairs[r->count++].value = equals + 1;
		at = next;
	}
	return true;
}

static const char *value_of(const void *arg, const char *key)
{
	const struct renewing *r = arg;

	for (size_t i = 0; i < r->count; i++)
		if (str_equal(r->pairs[i].key, key))
			return r->pairs[i].value;
	return filter_option(r->call, key);
}

static bool read_words(struct renewing *r, struct problem *p)
{
	static const struct command_option keys[] = { FILTER_OPTIONS };
	bool all = command_value(r->call, "--all");

	for (size_t i = 0; i < array_length(keys); i++) {
		const char *value = value_of(r, keys[i].name + 2);
		if (value)
			buf_printf(&r->words, "%s%s=%s", r->words.len ? "," : "", keys[i].name + 2, value);
	}
	if ((r->words.len == 0) != all)
		return problem_set(p, PROBLEM_MALFORMED, all ? "--all: and something that says which as well"
		                                             : "expected what says which certificates, or --all");
	if (all)
		buf_add_str(&r->words, "all");
	return buf_check(&r->words, p);
}

static bool print(const struct command_call *call, size_t count, struct problem *p)
{
	bool undo = command_value(call, "--undo");
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!call->json) {
		fprintf(call->out,
		        undo ? "%zu certificates as their profiles say\n"
		             : "asked for the renewal of %zu certificates\n",
		        count);
		return true;
	}
	json_open(&w, NULL);
	json_put_integer(&w, "count", (int64_t)count);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

static bool run(struct command_call *call, struct problem *p)
{
	const char *over = command_value(call, "--over");
	auto_struct(store) *store = NULL;
	auto_value(renewing) r = { .call = call };
	char actor[ADMIN_ACTOR_SIZE], next[SEARCH_CURSOR_SIZE];
	struct advice advice = {
		.now = clock_now(),
		.why = command_value(call, "--explanation"),
		.undo = command_value(call, "--undo"),
		.actor = actor,
	};
	size_t count = 0;

	if (over && !clock_parse_duration(over, &advice.over))
		return problem_set(p, PROBLEM_MALFORMED, "--over: expected a duration such as 6h, got `%s`", over);
	r.filter.query.now = advice.now;
	if (!advice_check(&advice, p) || !read_pairs(&r, p) || !filter_read(&r.filter, value_of, &r, "--", p) ||
	    !read_words(&r, p) || !search_new(&r.filter.query, &r.search, p) ||
	    !admin_open_store(call->admin, &store, p))
		return false;
	admin_actor(actor);
	advice.filter = buf_text(&r.words);
	do {
		if (!advice_give(store, r.search, &advice, &count, p))
			return false;
	} while (search_next(r.search, next));
	return print(call, count, p);
}

const struct command admin_renew_now = {
	.name = "renew-now",
	.args = "",
	.json = true,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "ask the clients of certificates to renew them now",
	.details = "Moves the window that renewal information (RFC 9773) suggests for what matches. Nothing is "
	           "revoked; clients that do not ask renew when they always would. What is expired, revoked or "
	           "renewed already is left alone.",
};
