/* TLS: the server's SSL_CTX and what a finished handshake proves about the client. Owns libssl.
 *
 * TLS 1.2 and 1.3. A client certificate is asked for where the listener says so, accepted whatever
 * its issuer, and judged in policy/: TLS proves the key alone. The certificate can be changed while
 * serving. Any thread. */
#pragma once

#include "base/http.h"
#include "base/ossl.h"

struct tls;
struct tls_options {
	bool ask_client;               /* request a client certificate, never demand it */
	bool only_tls13;
};
bool tls_new(const struct tls_options *options, struct tls **ret, struct problem *p) must_use;
/* Serves this chain (PEM, own certificate first) and key from the next handshake on; both copied. */
bool tls_set_certificate(struct tls *tls, struct bytes chain_pem, EVP_PKEY *key, struct problem *p) must_use;
void tls_free(struct tls *tls);
declare_auto_struct(tls, tls_free);

/* For listen.c: civetweb's hook. Configures its SSL_CTX (void *) as ours. */
bool tls_configure(struct tls *tls, void *ssl_ctx) must_use;
/* The facts of the connection whose handshake ended on this thread just now, owned by the caller
 * (NULL: none). */
struct tls_peer;
struct tls_peer *tls_peer_take(void);
const struct http_tls *tls_peer_facts(struct tls_peer *peer);
void tls_peer_free(struct tls_peer *peer);
