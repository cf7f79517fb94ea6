/* Resolver: one libunbound, in a loop of its own, which one caller at a time asks. This file and dns_loop own the
 * library, which is loaded for the first resolver: with what it brings it is larger than all else that a server keeps
 * for names, and plain look-ups need none of it (acme/dns_stub.h). Internal to acme/. */
#pragma once

#include "acme/dns.h"

/* Whether libunbound can be loaded. INTERNAL: it cannot. */
bool dns_resolver_check(struct problem *p) must_use;

struct dns_resolver;
/* With this text as its configuration (acme/dns_setup.h), and resolv.conf besides where system says so. */
bool dns_resolver_new(const struct buf *text, bool system, struct dns_resolver **ret, struct problem *p) must_use;
void dns_resolver_free(struct dns_resolver *resolver);
declare_auto_struct(dns_resolver, dns_resolver_free);

/* As dns_ask. One that is not to be asked again, because it was not answered in time or remembers a failure, is freed,
 * and *resolver NULL then. */
bool dns_resolver_ask(struct dns_resolver **resolver, struct dns_question *v, size_t n, int64_t deadline,
                      struct problem *p) must_use;
