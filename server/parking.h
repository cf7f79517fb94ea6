/* Parking: how a connection leaves its thread and gets one again. parked.h keeps those that have left; what else
 * they have, their seat with civetweb and their TLS, goes and comes with them here. Any thread. */
#pragma once

#include "server/connection.h"

/* Takes a connection from its thread, to which nothing of it belongs any more: another may have it already, or it
 * was ended because there was no room. false: out of memory, it stays its thread's. */
bool parking_put(struct connection *connection) must_use;
/* The connection with this socket, which was called and now has the calling thread; its seat is still with it.
 * NULL: nobody was called with that. */
struct connection *parking_take(struct pool *pool, int fd) must_use;
/* Lets those that have spoken wait for a thread. */
void parking_call(struct pool *pool);
/* Ends those whose deadline has come by then. */
void parking_sweep(struct pool *pool, int64_t now);
/* Ends all; no thread works for the pool any more. */
void parking_close(struct pool *pool);
