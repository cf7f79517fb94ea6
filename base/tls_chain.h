/* TLS chain: the peer's Certificate message (RFC 8446, 4.4.2; RFC 5246, 7.4.2), looked at before anything in it is
 * decoded: decoding comes before all proof, so a stranger decides what it costs, be he a client or a server that a client
 * has led us to. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes each certificate in the message unreadable whose key is not plain (base/certificate_key.h). message:
 * without its header. Of a malformed one what comes before the fault, as it is all that would be decoded. */
void tls_chain_blot(uint8_t *message, size_t len, bool tls13);

/* Does so in all handshakes of the context, a server's or a client's. */
struct ssl_ctx_st;
void tls_chain_guard(struct ssl_ctx_st *context);
