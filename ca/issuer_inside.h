/* What the files of ca/ see of an issuer beyond ca/issuer.h. issuer_signer leads to the private key:
 * ca/issue.c alone refers to it (make arch). */
#pragma once

#include "ca/issuer.h"
#include "ca/signer.h"
#include "ca/template.h"

const struct signer *issuer_signer(const struct issuer *issuer);
const struct template *issuer_template(const struct issuer *issuer);
EVP_PKEY *issuer_public_key(const struct issuer *issuer);
/* The self-signed end of the default chain. */
X509 *issuer_root(const struct issuer *issuer);
/* The CAs with name constraints that stand above what it issues, itself included. */
ossl_x509_stack *issuer_constrained(const struct issuer *issuer);
/* Whether the two were loaded from the same files. */
bool issuer_equal(const struct issuer *a, const struct issuer *b) must_use;
/* The one thing of an issuer that changes, at any time. */
void issuer_set_disabled(struct issuer *issuer, bool disabled);
