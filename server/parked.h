/* Parked: connections whose clients say nothing for now. They take a descriptor and some memory, and no thread: the
 * thread that accepts connections looks for those that have spoken, and lets them wait for a thread like new ones.
 *
 * A member lies in its connection, whose thread puts it here and has nothing of it from then on. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/problem.h"

enum { PARKED_MAX = 4096, PARKED_BATCH = 64, PARKED_GRACE_MS = 2000 };

struct parked_member {
	int fd;                /* the socket: readable, it has spoken, or ended */
	int64_t since;         /* monotonic ms */
	int64_t deadline;      /* monotonic ms */
	bool watched;          /* the system has been told of the socket; false at first */
	TAILQ_ENTRY(parked_member) entry;
};

struct parked;
/* For so many at once, PARKED_MAX at most. */
bool parked_new(size_t max, struct parked **ret, struct problem *p) must_use;
/* All must have been taken. */
void parked_free(struct parked *parked);
declare_auto_struct(parked, parked_free);

/* Whether one more finds a place: a free one, or that of who has been here for longer than the grace. */
bool parked_has_room(struct parked *parked, int64_t now) must_use;
/* false: there is no room for any, it is closed, or the system cannot watch the socket: the member is still its thread's.
 * ret_evicted: who has been here longest and had to leave, for there was no room; NULL: nobody. */
bool parked_put(struct parked *parked, struct parked_member *member, struct parked_member **ret_evicted) must_use;
/* Readable while one that is here has spoken and was not called, or a deadline has come. */
int parked_fd(const struct parked *parked);
/* Calls those that have spoken, a batch at most; returns how many. Each is to be taken. */
size_t parked_call(struct parked *parked, struct parked_member *ret[static PARKED_BATCH]);
/* Takes who was called and has this socket, -1: any; NULL: nobody. */
struct parked_member *parked_take(struct parked *parked, int fd);
/* Takes those that were not called and whose deadline has come by then, a batch at most; returns how many. */
size_t parked_take_overdue(struct parked *parked, int64_t now, struct parked_member *ret[static PARKED_BATCH]);
/* Lets nobody in any more. */
void parked_close(struct parked *parked);
