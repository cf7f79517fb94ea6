/* http-01: the challenge that a web server answers (RFC 8555, 8.3; RFC 8738, 5).
 *
 * Every hop is resolved here, judged by base/outbound.h, and connected to at the address that was
 * judged. A `struct http01` is shared by the probe threads. Internal to acme/. */
#pragma once

#include "acme/dns.h"
#include "base/outbound.h"
#include "acme/probe_reply.h"

struct http01_options {
	unsigned http_port, https_port;  /* all hops go to these */
	struct outbound_rules rules;
	unsigned timeout_ms;             /* for all hops together */
	struct dns *dns;
	const char *proxy;               /* through which each hop is asked, "http://192.0.2.1:3128"; NULL: none */
};
struct http01;
bool http01_open(const struct http01_options *options, struct http01 **ret, struct problem *p) must_use;
void http01_close(struct http01 *http01);
declare_auto_struct(http01, http01_close);

/* Refusals: DNS, CONNECTION, TLS, INCORRECT_RESPONSE, with what was asked, where, and what came of
 * it; never what the other side sent. */
bool http01_prove(struct http01 *http01, const struct probe_task *task, struct problem *p) must_use;
