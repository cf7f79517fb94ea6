/* TLS chain: the client's Certificate message (RFC 8446, 4.4.2; RFC 5246, 7.4.2), looked at before anything in it is
 * decoded: decoding comes before all proof, so a stranger decides what it costs. Any thread. */
#pragma once

#include "base/bytes.h"

/* Whether each certificate in the message, its header cut off, has a plain key (policy/certificate_key.h). false also:
 * the message is malformed. */
bool tls_chain_is_plain(struct bytes message, bool tls13) must_use;
