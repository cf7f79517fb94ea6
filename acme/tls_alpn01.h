/* tls-alpn-01: the challenge that a TLS handshake answers (RFC 8737; for IP addresses RFC 8738, 6).
 *
 * The name is resolved here, each address judged by base/outbound.h, and connected to as it was
 * judged. A `struct tls_alpn01` is shared by the probe threads. Internal to acme/. */
#pragma once

#include "acme/dns.h"
#include "acme/probe_reply.h"
#include "base/ossl.h"
#include "base/outbound.h"

struct tls_alpn01_options {
	unsigned port;
	struct outbound_rules rules;
	unsigned timeout_ms;
	struct dns *dns;
};
struct tls_alpn01;
bool tls_alpn01_open(const struct tls_alpn01_options *options, struct tls_alpn01 **ret, struct problem *p) must_use;
void tls_alpn01_close(struct tls_alpn01 *alpn);
declare_auto_struct(tls_alpn01, tls_alpn01_close);

/* Refusals: DNS, CONNECTION, TLS, INCORRECT_RESPONSE. */
bool tls_alpn01_prove(struct tls_alpn01 *alpn, const struct probe_task *task, struct problem *p) must_use;

/* Whether that certificate is the proof (RFC 8737, 3): one name, the identifier's; one acmeIdentifier,
 * critical, the key authorization's digest; signed by its own key. INCORRECT_RESPONSE. */
bool tls_alpn01_judge(X509 *certificate, const struct probe_task *task, struct problem *p) must_use;
/* The name for SNI: the name itself, or the reverse-mapping name of an address. */
void tls_alpn01_server_name(const struct probe_task *task, struct buf *ret);
