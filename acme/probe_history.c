#include "acme/probe_history.h"

#include <stdio.h>

enum {
	PLACES = 4096,
	WAIT_MS = 1000,                /* a try that fails later has let us wait */
	SLOW_MS = 60 * 1000,
	KNOWN_MS = 24 * 3600 * 1000,
};

bool probe_history_open(struct probe_history *ret, struct problem *p)
{
	*ret = (struct probe_history){ .places = calloc(PLACES, sizeof(*ret->places)) };
	return ret->places || problem_memory(p);
}

void probe_history_close(struct probe_history *history)
{
	free(history->places);
}

static struct probe_past *place_of(const struct probe_history *history, const char *account)
{
	uint32_t hash = 2166136261; /* FNV-1a; ids are random, and ours */

	for (const char *c = account; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619;
	return &history->places[hash % PLACES];
}

static const struct probe_past *past_of(const struct probe_history *history, const char *account)
{
	const struct probe_past *past = place_of(history, account);

	return str_equal(past->account, account) ? past : NULL;
}

static struct probe_past *past_make(struct probe_history *history, const char *account)
{
	struct probe_past *past = place_of(history, account);

	if (!str_equal(past->account, account)) {
		*past = (struct probe_past){0};
		snprintf(past->account, sizeof(past->account), "%s", account);
	}
	return past;
}

enum probe_class probe_history_class(const struct probe_history *history, const char *account, int64_t now)
{
	const struct probe_past *past = past_of(history, account);

	if (past && past->slow_until > now)
		return PROBE_SLOW;
	return past && past->known_until > now ? PROBE_KNOWN : PROBE_NEW;
}

uint64_t probe_history_served(const struct probe_history *history, const char *account)
{
	const struct probe_past *past = past_of(history, account);

	return past ? past->served : 0;
}

void probe_history_turn(struct probe_history *history, const char *account)
{
	past_make(history, account)->served = ++history->turns;
}

void probe_history_note(struct probe_history *history, const char *account, bool proven, int64_t took_ms, int64_t now)
{
	struct probe_past *past = past_make(history, account);

	if (proven)
		past->known_until = now + KNOWN_MS;
	else if (took_ms >= WAIT_MS)
		past->slow_until = now + SLOW_MS;
}
