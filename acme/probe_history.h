/* Probe history: what is remembered of accounts, so that hosts that let us wait do not keep others waiting.
 *
 * A small table in memory; accounts that fall into one place push each other out, and are then as new.
 * Plain data without a lock: it is the queue's. Internal to acme/. */
#pragma once

#include "base/problem.h"
#include "base/random.h"

enum probe_class {
	PROBE_KNOWN,   /* the account has proven something before */
	PROBE_NEW,     /* nothing is known of it */
	PROBE_SLOW,    /* what it asked for has let us wait a moment ago */
	PROBE_CLASS_MAX,
};
struct probe_past {
	char account[RANDOM_ID_SIZE];
	int64_t known_until, slow_until; /* clock_monotonic_ms */
	uint64_t served;                 /* the number of its last turn */
};
struct probe_history {
	struct probe_past *places;
	uint64_t turns;
};
bool probe_history_open(struct probe_history *ret, struct problem *p) must_use;
void probe_history_close(struct probe_history *history);

enum probe_class probe_history_class(const struct probe_history *history, const char *account, int64_t now);
uint64_t probe_history_served(const struct probe_history *history, const char *account); /* 0: never */
void probe_history_turn(struct probe_history *history, const char *account);
/* A try has ended that took so long. */
void probe_history_note(struct probe_history *history, const char *account, bool proven, int64_t took_ms, int64_t now);
