/* Nonce: the anti-replay values of RFC 8555, 6.5, without a write to the store.
 *
 * A nonce is the node's prefix (8 characters) and one AES block that hides a counter; the counters
 * of the last NONCE_WINDOW nonces each have a bit that says whether they were used. What is older, was
 * used, or does not decipher to such a counter is no nonce. Key and prefix are drawn at the start,
 * so a restart forgets all nonces and clients retry (badNonce). Any thread. */
#pragma once

#include "base/problem.h"

struct nonces;
enum {
	NONCE_SIZE = 8 + 22 + 1,
	/* A client that floods newNonce must make this many before it pushes out another's: minutes
	 * at full speed. Half a megabyte of bits. */
	NONCE_WINDOW = 1 << 22,
};

bool nonces_open(struct nonces **ret, struct problem *p) must_use;
void nonces_close(struct nonces *nonces);
declare_auto_struct(nonces, nonces_close);

void nonce_make(struct nonces *nonces, char ret[NONCE_SIZE]);
/* Consumes the nonce. false: never made here, too old, or used before. */
bool nonce_use(struct nonces *nonces, const char *text) must_use;
