/* Open files: how many descriptors the process may have, and what becomes of them. Any thread. */
#pragma once

#include "base/problem.h"

/* So much of them, or max if that is less. */
unsigned open_files_part(unsigned part, unsigned max);

/* Whether so many threads can serve with them: each is woken by one of its own, and has a connection in hand.
 * INTERNAL says how many it takes, and what to change. */
bool open_files_check(unsigned threads, struct problem *p) must_use;
