/* DNS stub: addresses asked of one resolver in the plainest way, for look-ups where nothing is to be
 * validated and the answer is the usual one: one datagram for each question, from a port of the
 * kernel's choice, and what comes back only counts when it is beyond doubt. For all else there is
 * libunbound. Any thread. Internal to acme/. */
#pragma once

#include "acme/dns.h"

struct dns_stub;
/* NULL: these options want more than a stub does, or there is no memory. */
struct dns_stub *dns_stub_new(const struct dns_options *options);
void dns_stub_free(struct dns_stub *stub);
/* Questions for addresses; true: all are answered. false: nothing is known, ask otherwise. */
bool dns_stub_ask(struct dns_stub *stub, struct dns_question *v, size_t n, int64_t deadline) must_use;
