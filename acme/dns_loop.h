/* Loop: the event loop that one libunbound context runs in, on the thread that asks it.
 *
 * Without one libunbound resolves on a thread of its own behind two pipes, which costs more than
 * the questions do. A loop is its context's, and of one thread at a time. Internal to acme/. */
#pragma once

#include "base/mem.h"

struct ub_event_base;
struct dns_loop;
bool dns_loop_new(struct dns_loop **ret) must_use; /* false: no memory */
void dns_loop_free(struct dns_loop *loop); /* its context is gone */
declare_auto_struct(dns_loop, dns_loop_free);

struct ub_event_base *dns_loop_base(struct dns_loop *loop);
/* Waits until something has happened, and runs what that calls. false: the deadline, a
 * clock_monotonic_ms, has come. */
bool dns_loop_turn(struct dns_loop *loop, int64_t deadline);
