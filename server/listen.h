/* Listen: the HTTP server. Owns civetweb and tames it: every request is read whole within its
 * deadline and its bounds, or refused; replies are complete; drain loses none.
 *
 * One thread per connection, from one pool for all listeners. When every thread is taken and
 * somebody waits, who has nothing in hand is parked (parked.h), and who comes no further with a request
 * gives way. Deadlines are kept by the thread that waits for the client (connection.h).
 * What options point to must outlive the listen. */
#pragma once

#include "base/addr.h"
#include "server/router.h"
#include "server/tls.h"

struct listener_options {
	const char *address;           /* "127.0.0.1", "0.0.0.0"; "::" takes IPv4 as well */
	unsigned port;                 /* 0: the kernel picks; see listen_port */
	struct tls *tls;               /* NULL: plain HTTP */
	const struct router *router;
	const char *external_url;      /* base of all URLs; NULL: as the request's Host says */
	const struct strings *names;   /* hosts that Host may name then, any port; others get 421 */
};
struct listen_options {
	const struct listener_options *listeners;
	size_t listener_count;
	unsigned threads;              /* connections served at once, all listeners */
	unsigned per_address;          /* connections at once from one address; 0: no cap */
	unsigned keep_alive_ms;        /* idle connection */
	unsigned header_ms, body_ms, reply_ms; /* deadlines of one request; the handshake has header_ms too */
	unsigned body_max;             /* no route may allow more */
	bool access_log;
};
struct listen;
bool listen_open(const struct listen_options *options, struct listen **ret, struct problem *p) must_use;
unsigned listen_port(const struct listen *listen, size_t i);
/* Stops accepting work: idle connections are closed, new requests get 503 with Connection: close;
 * waits up to timeout_ms for those in flight; then closes all. A handler that runs longer is waited
 * for, but its reply is lost. */
void listen_drain(struct listen *listen, unsigned timeout_ms);
void listen_close(struct listen *listen);
declare_auto_struct(listen, listen_close);

struct listen_counters {
	uint64_t requests;    /* answered, refusals included */
	uint64_t refused;     /* answered by the listener or the router itself, or turned away */
	uint64_t timeouts;
	uint64_t connections; /* since the start */
	uint64_t active;      /* connections open now */
	uint64_t parked;      /* those of them that have no thread until they speak */
	uint64_t gave_way;    /* ended because others needed what they held */
	uint64_t waiting;     /* connections that wait for a thread now */
};
void listen_counters(const struct listen *listen, struct listen_counters *ret);
