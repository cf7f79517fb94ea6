/* Connection: how long each step of a connection may take.
 *
 * civetweb waits for its sockets in poll(2) only, and civetweb_seam.c leads that call to
 * connection_poll. So a deadline needs no second thread and no race: the thread that serves a
 * connection waits no longer than its deadline, and less when its thread is wanted or the server
 * ends. Who has nothing in hand while others wait for a thread is parked: it has none until it speaks
 * (parking.h). What a thread waits for and how long is in connection_wait.h, for the one that accepts in acceptor.h.
 * A `struct connection` belongs to the thread that serves it, or lies parked. */
#pragma once

#include <poll.h>

#include "base/bytes.h"
#include "server/head.h"
#include "server/parked.h"
#include "server/pool.h"

struct tls_peer;

enum {
	RATE_MIN = 16,              /* bytes in a ms */
	CONNECTION_GRACE_MS = 2000, /* who has a request in hand keeps its thread that long, whatever others want */
};

enum connection_phase {
	CONNECTION_HANDSHAKE,
	CONNECTION_IDLE,   /* nothing of a request is here yet */
	CONNECTION_HEAD,
	CONNECTION_BODY,
	CONNECTION_REPLY,
};

struct connection {
	struct pool *pool;
	struct mg_connection *carrier;
	struct pool_member member;
	struct tls_peer *tls;          /* owned; NULL on a plain connection */
	enum connection_phase phase;
	int64_t since, deadline;       /* of the phase; monotonic ms */
	int64_t last_deadline;         /* no progress moves it */
	int64_t due;                   /* then a thread that another needs waits no longer; sooner where many do */
	int64_t taken;                 /* bytes that the client had at the last look; -1: none in this reply */
	struct head head;              /* of the request that is arriving */
	bool busy, overdue, turned_away;
	bool begun;                    /* its handshake */
	bool greeted;                  /* has had a reply */
	bool answered;                 /* the request that began last has had its reply */
	bool parks;                    /* it ends for its thread alone */
	struct parked_member parked;
	struct seam_seat *seat;        /* while it is parked */
};

/* The connection that the calling thread serves; NULL: none. */
struct connection *connection_current(void);
/* Starts a phase with its own deadline. A body must come at RATE_MIN where its thread is wanted. */
void connection_enter(struct connection *connection, enum connection_phase phase);
/* Starts to send a reply of that size: it must get on within reply_ms, be gone at RATE_MIN, and be taken at that
 * rate where its thread is wanted. */
void connection_enter_reply(struct connection *connection, size_t size);
/* After a reply: what is left of the buffer is the beginning of the next head. */
void connection_next(struct connection *connection, struct bytes rest);
/* Ends the thread's connection, or parks it. */
void connection_end(void);

/* The calling thread works for this pool from now on; and no more. */
void connection_join(struct pool *pool);
void connection_leave(void);

/* What it is while it has nothing in hand. */
enum parked_kind connection_kind(const struct connection *connection);
bool connection_has_nothing_in_hand(const struct connection *connection);
/* How long a phase may take, in ms. */
unsigned connection_allowance(const struct connection *connection, enum connection_phase phase);

/* For civetweb_seam.c. */
void connection_accepted(void);
void *connection_context(const struct mg_connection *carrier);
/* true as well when this thread has begun it before. false: turned away. */
bool connection_begin(struct mg_connection *carrier);
/* Makes one that was parked the calling thread's. Returns the SSL * that it had; NULL: there was none, or
 * it is new. */
void *connection_resume(struct mg_connection *carrier);
/* Begins one that is new, and waits for its client's first word: before that it gets no TLS, which would take 30
 * kB. false: it was turned away, its time is over, or others wait for the thread, and it is about to be parked. */
bool connection_has_spoken(struct mg_connection *carrier);
/* Whether the thread's is about to be parked. */
bool connection_parks(void);
/* The client's first message has come. */
void connection_shakes_hands(void);
void connection_received(size_t n);
int connection_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
