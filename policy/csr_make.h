/* CSR making: the request for a certificate of a key that the server makes itself, so that the gate judges it as it
 * judges everybody's. It is signed with csr_signature_for. All appended DER. Any thread. */
#pragma once

#include "policy/csr.h"
#include "policy/subject.h"

/* What is asked for; all borrowed. */
struct csr_wish {
	const struct subject *subject;
	const struct identifiers *names;
	const struct strings *upns;               /* otherNames of Windows users; NULL: none */
	unsigned key_usage;                       /* KU_ bits; 0: not asked */
	const struct strings *extended_key_usage; /* dotted OIDs; none: not asked */
	bool ca;
	int path_length;                          /* -1: none */
};
/* signatures: those that the policy takes. */
bool csr_make(const struct csr_wish *wish, EVP_PKEY *key, unsigned signatures, struct buf *ret,
              struct problem *p) must_use;
/* Asks for what another CSR asks for. */
bool csr_make_again(struct bytes csr_der, EVP_PKEY *key, unsigned signatures, struct buf *ret,
                    struct problem *p) must_use;
/* Asks for subject, names, usages and basicConstraints of a certificate; of its key usages for those that the key can
 * have. */
bool csr_make_renewal(struct bytes certificate_der, EVP_PKEY *key, unsigned signatures, struct buf *ret,
                      struct problem *p) must_use;

/* Whether both ask for the same, whatever their keys; the algorithms of these are the same. */
bool csr_asks_same(const struct csr *a, const struct csr *b) must_use;
