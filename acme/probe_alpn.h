/* Probe by TLS: one handshake with an address that was judged, as tls-alpn-01 has it (RFC 8737, 3).
 * Besides the server's own listeners this file alone uses libssl.
 *
 * A `struct probe_alpn` is shared by the probe threads. Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/ossl.h"

struct probe_alpn;
bool probe_alpn_open(struct probe_alpn **ret, struct problem *p) must_use;
void probe_alpn_close(struct probe_alpn *alpn);
declare_auto_struct(probe_alpn, probe_alpn_close);

struct probe_handshake {
	/* the caller's */
	struct addr addr;
	unsigned port;
	char *server_name;         /* for SNI; not changed */
	int64_t deadline;          /* clock_monotonic_ms */
	int64_t connect_ms;        /* of that for the connection */
	/* what came */
	bool connected;
	X509 *certificate;         /* the caller's to free */
};
/* Offers acme-tls/1 alone and TLS 1.2 or later, and ends the connection when the handshake has. Refusals:
 * CONNECTION, TLS, in words for the one who runs that host. */
bool probe_alpn_shake(struct probe_alpn *alpn, struct probe_handshake *h, struct problem *p) must_use;
