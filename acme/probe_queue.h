/* Probe queue: which challenges are in flight, and which of them is next.
 *
 * Plain data without a lock: acme/probe.c holds its mutex around every call. No account and no
 * target can have all the threads, nor one account all the places. Internal to acme/. */
#pragma once

#include <sys/queue.h>

#include "acme/probe.h"
#include "acme/probe_history.h"
#include "policy/identifier.h"

/* Lives from its response to its end, and as long as somebody waits for it. */
struct probe {
	TAILQ_ENTRY(probe) entry;
	char authorization[RANDOM_ID_SIZE], account[RANDOM_ID_SIZE];
	char challenge[32];
	char target[IDENTIFIER_VALUE_SIZE];
	int64_t due, began, last_end;  /* clock_monotonic_ms */
	unsigned tries, refs;
	uint64_t stored;        /* results that are in the store */
	bool running, ended;
	pthread_cond_t changed; /* one of the last two, or stored */
};
struct probe_queue {
	TAILQ_HEAD(probe_list, probe) list; /* oldest first, those that run included */
	size_t count, max;
	struct probe **running;             /* one a thread */
	size_t running_count, threads;
	struct probe_history history;
};
bool probe_queue_open(unsigned threads, size_t max, struct probe_queue *ret, struct problem *p) must_use;
void probe_queue_close(struct probe_queue *queue);

/* NULL: not in flight. */
struct probe *probe_queue_find(const struct probe_queue *queue, const char *authorization, const char *challenge);
/* UNAVAILABLE when all places are taken, or a quarter of them by this account. */
bool probe_queue_room(const struct probe_queue *queue, const char *account, struct problem *p) must_use;
bool probe_queue_add(struct probe_queue *queue, const struct probe_request *request, int64_t due,
                     struct probe **ret, struct problem *p) must_use;
/* Of those that are due and have a thread left for them, one of the account that has the least
 * running, and of those the account whose turn is the longest ago; it counts as running from here to
 * probe_queue_done. NULL: none. */
struct probe *probe_queue_take(struct probe_queue *queue, int64_t now);
void probe_queue_done(struct probe_queue *queue, struct probe *probe, bool proven, int64_t now);
/* Takes it out; it stays for those who hold a reference, whom the caller tells. */
void probe_queue_end(struct probe_queue *queue, struct probe *probe);
void probe_unref(struct probe *probe);
