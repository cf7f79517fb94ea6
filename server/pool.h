/* Pool: the threads of a server and the connections that share them: how many there are, which host
 * has how many, and how all are told to give way, to drain or to stop. Any thread. */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "base/addr.h"

struct mg_connection;

enum { LISTENERS_MAX = 32 };

struct pool_options {
	unsigned threads;       /* connections that are served at once */
	unsigned parked;        /* and that have no thread */
	unsigned queue;         /* that may wait for a thread; beyond that they wait with the system */
	unsigned per_address;   /* 0: no cap */
	unsigned keep_alive_ms, header_ms, body_ms, reply_ms;
	/* The SSL_CTX * for a connection that is about to begin; NULL: none. */
	void *(*context)(void *user, const struct mg_connection *carrier);
	void *user;
};

struct pool;
bool pool_new(const struct pool_options *options, struct pool **ret, struct problem *p) must_use;
void pool_free(struct pool *pool);
declare_auto_struct(pool, pool_free);
const struct pool_options *pool_options(const struct pool *pool);

/* Ends idle connections now and each other one after the reply it is owed. */
void pool_drain(struct pool *pool);
bool pool_is_draining(const struct pool *pool);
/* Ends every wait. */
void pool_stop(struct pool *pool);

/* A connection as the pool knows it; the connection owns it. */
struct pool_member {
	struct addr peer;
	bool gives_way;
	int bell;               /* its thread's eventfd; -1: it has none */
	bool lingers;
	struct pool_member *next, *previous;
	TAILQ_ENTRY(pool_member) entry;
};
/* A connection was accepted, or is no longer parked, and waits for a thread. */
void pool_accepted(struct pool *pool);
/* It waits no more: it was given up before it began, or it has begun. Whoever has begun must leave,
 * even when false says that its host has as many connections as it may have. */
void pool_gave_up(struct pool *pool);
bool pool_enter(struct pool *pool, struct pool_member *member) must_use;
void pool_leave(struct pool *pool, struct pool_member *member);
/* The member has nothing in hand: its thread may be called away by its bell. false: others wait already. */
bool pool_linger(struct pool *pool, struct pool_member *member) must_use;
/* It lingers no more; whether it was called away. */
bool pool_is_rung(struct pool *pool, struct pool_member *member) must_use;
/* Where others wait: calls the thread of who lingers longest, or lets who is slow give way. */
void pool_ring(struct pool *pool);
/* A member leaves its thread, or has left its seat among those that did. */
void pool_park(struct pool *pool);
void pool_unpark(struct pool *pool);
struct parked *pool_parked(const struct pool *pool);
/* Members with a request in hand. */
void pool_set_busy(struct pool *pool, bool busy);
unsigned pool_busy(const struct pool *pool);

/* Readable: for good after the drain or the stop; until someone takes it while a thread is wanted. */
int pool_drain_fd(const struct pool *pool);
int pool_stop_fd(const struct pool *pool);
int pool_relief_fd(const struct pool *pool);
/* Whether the member is one that is to give way. */
bool pool_takes_thread(struct pool *pool, struct pool_member *member) must_use;
/* Whether there are more connections that want a thread, or have one, than threads. */
bool pool_is_crowded(const struct pool *pool);
/* Of the time that each may keep a thread waiting, what remains where more wait for one than there are threads: so
 * whoever waits does not wait much longer than that time. */
int64_t pool_share(const struct pool *pool, int64_t ms);
/* Connections that were accepted, and that no thread has begun yet. */
unsigned pool_waiting(const struct pool *pool);

struct pool_counters {
	_Atomic uint64_t connections, refused, timeouts, gave_way;
	_Atomic unsigned open, parked;
};
struct pool_counters *pool_counters(struct pool *pool);
