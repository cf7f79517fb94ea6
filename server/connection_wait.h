/* Connection wait: for how long the thread of a connection waits for its client, and for whom it stops waiting. */
#pragma once

#include "server/connection.h"

/* As poll(2) of that one socket: 0 means to go on waiting, -1 that the connection is to end, or to be parked. What
 * the client sent comes before any wish to end the connection. */
int connection_wait(struct connection *connection, struct pollfd *fd, int timeout_ms);
/* Reads and drops what still comes in, until the client ends it, or these bounds do. */
void connection_linger(struct connection *connection, size_t bytes_max, int ms_max);
