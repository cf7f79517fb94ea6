/* Parked: connections whose clients say nothing for now. They take a descriptor and some memory, and no thread: the
 * thread that accepts connections looks for those that have spoken, and lets them wait for a thread like new ones.
 *
 * There is room of its own for each kind: who is silent, or leaves a handshake that has begun, takes no place from
 * those that were served.
 *
 * A member lies in its connection, whose thread puts it here and has nothing of it from then on. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/problem.h"

enum { PARKED_MAX = 4096, PARKED_BATCH = 64 };

enum parked_kind {
	PARKED_SERVED,         /* between two requests */
	PARKED_BEGUN,          /* in its handshake, or after it: the client computes, or never meant to go on */
	PARKED_SILENT,         /* before its first word */
	PARKED_KINDS,
};

struct parked_member {
	enum parked_kind kind;
	int fd;                /* the socket: readable, it has spoken, or ended */
	int64_t since;         /* monotonic ms */
	int64_t deadline;      /* monotonic ms */
	bool watched;          /* the system has been told of the socket; false at first */
	TAILQ_ENTRY(parked_member) entry;
};

struct parked;
/* For so many at once that were served, PARKED_MAX at most, half as many that are silent, and an eighth that have
 * begun. */
bool parked_new(size_t max, struct parked **ret, struct problem *p) must_use;
/* All must have been taken. */
void parked_free(struct parked *parked);
declare_auto_struct(parked, parked_free);

/* One that had begun and was parked got through its handshake. */
void parked_finish(struct parked *parked, int64_t now);
/* Whether one more of a kind finds a place: a free one, or that of who has been here for long. Of those that have
 * begun none leaves while others of them get through. */
bool parked_has_room(struct parked *parked, enum parked_kind kind, int64_t now) must_use;
/* Who saw room may come, and threads that saw the last place at once may all: so many more than the room there may
 * be. false: there is no room for any, it is closed, or the system cannot watch the socket: the member is still its
 * thread's. ret_evicted: who of its kind has been here longest and had to leave, for there was no room; NULL:
 * nobody. */
bool parked_put(struct parked *parked, struct parked_member *member, struct parked_member **ret_evicted) must_use;
size_t parked_count(struct parked *parked, enum parked_kind kind);
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
