/* Constraint: the names that may stand below a CA (RFC 5280, 4.2.1.10): made from text for the CAs that are
 * made here, and held against what a CA of ours signs. Any thread. */
#pragma once

#include "base/ossl.h"
#include "policy/subject.h"

/* Names as "dns:example.com", which stands for all below it too; "ip:10.0.0.0/8"; "email:example.com" for the
 * mailboxes of one host, "email:.example.com" of all hosts below, "email:a@example.com" for one. Either list may
 * be NULL; *ret is NULL when both are empty. MALFORMED names the text. */
bool constraint_make(const struct strings *permitted, const struct strings *excluded, NAME_CONSTRAINTS **ret,
                     struct problem *p) must_use;
/* The texts of one of the lists, as constraint_make takes them; other types of names as "other". */
bool constraint_texts(const NAME_CONSTRAINTS *constraints, bool excluded, struct strings *ret) must_use;

/* Whether the certificate has any. */
bool constraint_any(X509 *certificate) must_use;
/* The subject to begin a name with that is to stand below these CAs: the first permitted directory name of the first CA
 * that permits some, as far as it is of attributes known here; else empty. */
bool constraint_directory(ossl_x509_stack *above, struct subject *ret, struct problem *p) must_use;
/* Whether a certificate of this TBSCertificate could stand below these CAs; its signature is no matter.
 * REJECTED_IDENTIFIER says whose constraints are broken. */
bool constraint_check(ossl_x509_stack *above, struct bytes tbs, struct bytes algorithm, struct problem *p) must_use;
