/* Responder: the key that signs an issuer's OCSP answers, with the certificate by which the issuer
 * says so (RFC 6960, 4.2.2.2).
 *
 * The key is made here, stays in memory, and is gone with the process: a restart makes another, and
 * nothing is at rest that could be stolen. It is of the issuer's kind, or a more common one, so that
 * who can verify the one can verify the other. The certificate is in the inventory before anyone sees it. Immutable and
 * shared: who takes one unrefs it. Any thread. */
#pragma once

#include <stdatomic.h>

#include "base/random.h"
#include "ca/issuer.h"
#include "ca/signer.h"
#include "store/store.h"

#define RESPONDER_PROFILE "ocsp-responder" /* what its row in the inventory has for a profile */

struct responder {
	atomic_int refs;
	struct signer *signer;
	struct buf certificate;         /* DER */
	uint8_t key_hash[20];           /* SHA-1 of its public key: ResponderID byKey (RFC 6960, 4.2.1) */
	int64_t not_after;
	int64_t made, renew;            /* when; when the next one is to take its place */
	char id[RANDOM_ID_SIZE];        /* in the inventory */
};
/* Makes a key, and a certificate of so many seconds, and records that. */
bool responder_new(const struct issuer *issuer, struct store *store, int64_t lifetime, struct responder **ret,
                   struct problem *p) must_use;
void responder_unref(struct responder *responder);
declare_auto_struct(responder, responder_unref);
