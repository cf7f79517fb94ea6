/* Connection: who is connected, how long each step of a connection may take, and how
 * all of them are told to stop.
 *
 * civetweb waits for its sockets in poll(2) only, and civetweb_seam.c leads that call to
 * connection_poll. So a deadline needs no second thread and no race: the thread that serves a
 * connection waits no longer than its deadline. A `struct pool` is shared by the threads of a
 * server; a `struct connection` belongs to the thread that serves it. */
#pragma once

#include <poll.h>
#include <stdatomic.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "server/head.h"

struct mg_connection;
struct tls_peer;

enum connection_phase {
	CONNECTION_HANDSHAKE,
	CONNECTION_IDLE,   /* nothing of a request is here yet */
	CONNECTION_HEAD,
	CONNECTION_BODY,
	CONNECTION_REPLY,
};

enum { LISTENERS_MAX = 32 };

struct pool_options {
	unsigned threads;       /* connections that are served at once */
	unsigned per_address;   /* 0: no cap */
	unsigned keep_alive_ms, header_ms, body_ms, reply_ms;
	/* The SSL_CTX * for a connection that is about to begin. */
	void *(*context)(void *user, const struct mg_connection *carrier);
	void *user;
};
struct pool;
bool pool_new(const struct pool_options *options, struct pool **ret, struct problem *p) must_use;
/* The calling thread works for this pool from now on. */
void pool_join(struct pool *pool);
/* Ends idle connections now and each other one after the reply it is owed. */
void pool_drain(struct pool *pool);
bool pool_is_draining(const struct pool *pool);
/* Ends every wait. */
void pool_stop(struct pool *pool);
/* Connections that are not idle. */
unsigned pool_busy(const struct pool *pool);
void pool_free(struct pool *pool);
declare_auto_struct(pool, pool_free);

struct pool_counters {
	_Atomic uint64_t connections, refused, timeouts;
	_Atomic unsigned open;
};
struct pool_counters *pool_counters(struct pool *pool);

struct connection {
	struct pool *pool;
	struct mg_connection *carrier;
	struct addr peer;
	struct tls_peer *tls;          /* owned; NULL on a plain connection */
	enum connection_phase phase;
	int64_t since, deadline;       /* of the phase; monotonic ms */
	int64_t last_deadline;         /* no progress moves it */
	int queued;                    /* bytes in the socket when this was last looked at; -1: never */
	bool moved;                    /* since then it has become writable */
	struct head head;              /* of the request that is arriving */
	bool busy, overdue, turned_away;
	bool greeted;                  /* has had a reply */
	bool answered;                 /* the request that began last has had its reply */
	struct connection *next, *previous;
};

/* The connection that the calling thread serves; NULL: none. */
struct connection *connection_current(void);
/* Starts a phase with its own deadline. */
void connection_enter(struct connection *connection, enum connection_phase phase);
/* Starts to send a reply: it must move within reply_ms, and be gone at RATE_MIN. */
enum { RATE_MIN = 16 }; /* bytes in a ms */
void connection_enter_reply(struct connection *connection, size_t size);
/* After a reply: what is left of the buffer is the beginning of the next head. */
void connection_next(struct connection *connection, struct bytes rest);
/* Reads and drops what still comes in, until the client ends it, or these bounds do. */
void connection_linger(struct connection *connection, size_t bytes_max, int ms_max);
void connection_end(void);

/* For civetweb_seam.c. */
void connection_accepted(void);
void *connection_context(const struct mg_connection *carrier);
/* true as well when this thread has begun it before. false: turned away. */
bool connection_begin(struct mg_connection *carrier);
void connection_received(size_t n);
int connection_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
