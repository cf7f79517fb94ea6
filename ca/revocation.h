/* Revocation: RFC 5280 reasons and the one change of state they bring. CRL and OCSP read what is
 * recorded here. */
#pragma once

#include "store/certificate.h"

/* A reason that a client may ask for (RFC 5280, 5.3.1): 0,1,3,4,5,9 for subscribers; an operator
 * also 2,6,10. 7 is unused, 8 is for CRLs alone. BAD_REVOCATION_REASON. */
enum revocation_asker { REVOCATION_BY_SUBSCRIBER, REVOCATION_BY_OPERATOR };
bool revocation_reason_check(int64_t reason, enum revocation_asker asker, struct problem *p) must_use;
void revocation_reasons_add(struct buf *b, enum revocation_asker asker); /* "unspecified, keyCompromise, ..." */
const char *revocation_reason_name(int64_t reason);          /* "keyCompromise"; NULL: no such */
bool revocation_reason_from(const char *name, int64_t *ret) must_use;  /* name or number */

/* Marks the certificate revoked and tells the audit log, in the caller's update. ALREADY_REVOKED; NOT_FOUND. What is on
 * hold can be revoked for good (RFC 5280, 5.3.1), and an operator may say afterwards that it was keyCompromise or
 * cACompromise: the time of the revocation stays.
 * by: who, in words; from: the address that this came from, or NULL. An expired certificate is refused with
 * MALFORMED to subscribers, not to operators. */
bool revocation_record(struct store_txn *txn, const char *certificate_id, int64_t reason, int64_t now, const char *by,
                       const char *from, enum revocation_asker asker, struct problem *p) must_use;
/* Ends a hold, and nothing else that was recorded. CONFLICT: it is not on hold; NOT_FOUND. Otherwise as above. */
bool revocation_release(struct store_txn *txn, const char *certificate_id, int64_t now, const char *by,
                        const char *from, struct problem *p) must_use;
