/* Files: those of the CAs, by their names (ca/issuer.h), as those who change them see them. Any thread.
 *
 * NAME.successor holds the name of the CA that took a CA's place: what is to be issued by the one is issued by
 * the other. It is written last, so that it never leads to half a CA. */
#pragma once

#include "base/ossl.h"
#include "ca/issuer.h"

/* Names of the CAs that have a certificate, by name. */
bool files_names(const char *folder, struct strings *ret, struct problem *p) must_use;
bool files_has(const char *folder, const char *name, const char *ending) must_use; /* ".pem", ".key", ... */
/* NAME.pem. NOT_FOUND. */
bool files_certificate(const char *folder, const char *name, X509 **ret, struct problem *p) must_use;
/* NAME.chain.pem; of a root, which has none, the root itself. */
bool files_chain(const char *folder, const char *name, ossl_x509_stack **ret, struct problem *p) must_use;
/* The one that took its place, or ""; and the last one in that line, which may be name itself. */
bool files_successor(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p) must_use;
bool files_current(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p) must_use;
/* The first of NAME-2, NAME-3, ... that no file is named after; what a number at its end says is counted on. */
bool files_next(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p) must_use;
