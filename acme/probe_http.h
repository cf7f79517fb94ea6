/* Probe by HTTP: the http-01 challenge (RFC 8555, 8.3; RFC 8738, 5). This file owns libcurl.
 *
 * A `struct probe_http` is shared by the probe threads and keeps their curl handles between
 * probes. Every hop is resolved here, judged by acme/probe_addr.h, and connected to at the address
 * that was judged; curl itself resolves and follows nothing. Internal to acme/. */
#pragma once

#include "acme/dns.h"
#include "acme/probe_addr.h"
#include "acme/probe_reply.h"

struct probe_http_options {
	unsigned http_port, https_port;             /* all hops go to these */
	struct probe_rules rules;
	unsigned timeout_ms;                        /* for all hops together */
	struct dns *dns;
};
struct probe_http;
bool probe_http_open(const struct probe_http_options *options, struct probe_http **ret,
                     struct problem *p) must_use;
void probe_http_close(struct probe_http *http);
declare_auto_struct(probe_http, probe_http_close);

/* Refusals: DNS, CONNECTION, TLS, INCORRECT_RESPONSE, with what was asked, where, and what came of
 * it; never what the other side sent. */
bool probe_http_prove(struct probe_http *http, const struct probe_task *task, struct problem *p) must_use;
