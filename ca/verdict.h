/* Verdict: what a CA says of a certificate before it signs it. ca_issue holds to it, and the gate asks it through the
 * profiles (verdict_bind), so that a trial, a request that waits and an issuance hear the same. Needs no key. Any
 * thread. */
#pragma once

#include "ca/ca.h"

/* Whether the issuer may ever sign this: BAD_CSR for a CA that may not stand below it (RFC 5280, 4.2.1.9). */
bool verdict_below(const struct issuer *issuer, const struct approval_facts *facts, struct problem *p) must_use;
/* Whether it can sign this now: INTERNAL: there is no such issuer (NULL); UNAVAILABLE: it is disabled, or ends before
 * the certificate would. */
bool verdict_ready(const struct issuer *issuer, const struct approval_facts *facts, struct problem *p) must_use;

/* From now on the gate knows the CA of these profiles, which must outlive them; before they are shared. */
void verdict_bind(const struct ca *ca, struct profiles *profiles);
