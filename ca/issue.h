/* Issue: all that a CA's key signs. ca/issue.c alone refers to the key (make arch), behind one door
 * for what others ask for, ca_issue of ca/ca.h, which takes approvals and nothing else, and three
 * for what the CA says of itself, none of which takes a byte from outside:
 *
 * - its revocation lists, made by ca/crl.c;
 * - the certificates of its OCSP responders, whose keys ca/responder.c makes and keeps;
 * - a self-test, when it is opened.
 *
 * Any thread. */
#pragma once

#include "ca/issuer.h"
#include "ca/signer.h"
#include "store/certificate.h"

/* Whether an issuer's key signs what its certificate verifies. */
bool issue_self_test(const struct issuer *issuer, struct problem *p) must_use;

/* Signs a TBSCertList (RFC 5280, 5.1.2) and nothing that could be read as a certificate: asserted. */
bool issue_crl(const struct issuer *issuer, struct bytes list, struct signature *ret, struct problem *p) must_use;
/* The AlgorithmIdentifier of that signature, DER. */
struct bytes issue_crl_algorithm(const struct issuer *issuer);

/* A certificate that lets this key sign the issuer's OCSP answers, and do nothing else (RFC 6960,
 * 4.2.2.2). It ends with the issuer's own at the latest. ret: an inventory row as ca_issue makes
 * them; not recorded yet. */
bool issue_responder(const struct issuer *issuer, EVP_PKEY *key, int64_t not_before, int64_t not_after,
                     struct certificate *ret, struct problem *p) must_use;
