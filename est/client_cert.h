/* Client-Cert: the client's certificates as the connection shows them, or as a reverse proxy that ends TLS says them in
 * the headers Client-Cert and Client-Cert-Chain (RFC 9440).
 *
 * The headers are believed from listed addresses alone; from anywhere else they are an attempt to be somebody, or a
 * proxy that nobody listed, and the request is refused. Behind a listed proxy they are all that counts: a certificate
 * that the proxy itself shows is not its client's. Any thread. */
#pragma once

#include "base/http.h"

enum { CLIENT_CERT_MAX = 10, CLIENT_CERT_BYTES = 32 * 1024 };

struct client_cert {
	struct bytes chain[CLIENT_CERT_MAX]; /* DER, the client's own first; borrowed from the request or from der */
	size_t n;                            /* 0: none was shown */
	bool proxied;
	void *decoded;                       /* the first as libcrypto's X509, where TLS has it; NULL */
	struct buf der;
};
void client_cert_free(struct client_cert *shown);
declare_auto_value(client_cert, client_cert_free);

/* Where the request came from: behind a listed proxy the last address in X-Forwarded-For, which is the one that the
 * proxy has added; without one that can be read, the proxy's. */
struct addr client_cert_from(const struct http_request *request, const struct addr_list *proxies);
/* MALFORMED; TOO_LARGE. */
bool client_cert_read(const struct http_request *request, const struct addr_list *proxies, struct client_cert *ret,
                      struct problem *p) must_use;
