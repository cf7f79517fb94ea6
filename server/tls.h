/* TLS: the server's SSL_CTX and what a finished handshake proves about the client. Owns libssl.
 *
 * TLS 1.2 and 1.3. A client certificate is asked for where the listener says so, accepted whatever
 * its issuer, and judged in policy/: TLS proves the key alone. The certificate can be changed while
 * serving. Of a chain nothing is decoded that is expensive to decode (tls_chain.h). Any thread. */
#pragma once

#include "base/http.h"
#include "base/ossl.h"
#include "server/tls_certificate.h"

struct tls;
struct tls_options {
	bool ask_client;               /* request a client certificate, never demand it */
	bool only_tls13;
};
bool tls_new(const struct tls_options *options, struct tls **ret, struct problem *p) must_use;
/* From the next handshake on; it has its key. Takes a reference. */
void tls_show(struct tls *tls, struct tls_certificate *certificate);
void tls_free(struct tls *tls);
declare_auto_struct(tls, tls_free);

/* For listen.c: the SSL_CTX * that civetweb is to use; borrowed. */
void *tls_context(struct tls *tls);
/* The facts of a connection (SSL *) whose handshake has ended, for as long as it lives. NULL: out
 * of memory. */
struct tls_peer;
struct tls_peer *tls_peer_new(void *ssl) must_use;
const struct http_tls *tls_peer_facts(const struct tls_peer *peer);
void tls_peer_free(struct tls_peer *peer);
declare_auto_struct(tls_peer, tls_peer_free);
/* Says that nothing more will be sent. */
void tls_say_goodbye(void *ssl);
