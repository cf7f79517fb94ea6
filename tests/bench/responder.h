/* What the server asks while it validates: a web server that answers http-01 and a DNS server that
 * says 127.0.0.1 to every name. Threads of their own, on loopback, until the process ends. */
#pragma once

#include <stdint.h>

/* Ports; 0 for dns_port: none. Returns the DNS port that is served. */
void responder_start(unsigned http_port, unsigned dns_port);
/* From now on /.well-known/acme-challenge/{token} is answered with token "." thumbprint. */
void responder_expect(const char *token, const char *thumbprint);
