/* Acceptor: what the thread that accepts connections waits for: somebody who comes, while there is room in the
 * queue, and those that are parked and speak, or whose time is over. */
#pragma once

#include <poll.h>

#include "server/pool.h"

/* As poll(2) of the listening sockets, LISTENERS_MAX at most. */
int acceptor_wait(struct pool *pool, struct pollfd *listening, nfds_t n, int timeout_ms);
