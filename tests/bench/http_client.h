/* HTTP client of the benchmarks: one kept-alive TLS connection, whole replies, Content-Length or
 * chunked. One thread each. Ends the process on any failure: a benchmark has nothing to salvage. */
#pragma once

#include "base/bytes.h"

struct http_client;
struct http_reply {
	int status;
	char nonce[256], location[512];
	struct buf body;
	bool close;
};

/* A fatal error of the benchmark: prints and exits. */
void bench_fail(const char *fmt, ...) printf_like(1, 2) __attribute__((noreturn));

/* host and port from an https URL; ca is the PEM file that the server's certificate must chain to. */
struct http_client *http_client_new(const char *url, const char *ca);
void http_client_free(struct http_client *client);
/* POSTs (body not NULL) or GETs the URL's path on the connection; reply is overwritten. Reconnects
 * when the server has closed. */
void http_client_send(struct http_client *client, const char *method, const char *url, const struct buf *body,
                      struct http_reply *reply);
void http_reply_free(struct http_reply *reply);
