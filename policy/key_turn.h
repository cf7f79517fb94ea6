/* Key turn: who may make an RSA key now. A search for primes holds a thread for up to seconds, so no more of them run
 * at once than there are processors, and only a few more wait for their turn. Any thread. */
#pragma once

#include "base/problem.h"

/* UNAVAILABLE with Retry-After when too many wait already. */
bool key_turn_begin(struct problem *p) must_use;
void key_turn_end(void);
