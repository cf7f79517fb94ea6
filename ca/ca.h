/* CA: signs what the policy approved, and nothing else.
 *
 * `struct ca` owns the issuers and their keys. Immutable after opening; any thread. ca_issue never
 * sees a CSR; it takes approvals, and leaves recording to the caller, who puts the certificate and
 * the change that caused it into one store update before anything leaves the process. */
#pragma once

#include "ca/issuer.h"
#include "ca/keyfile.h"
#include "ca/secret.h"
#include "policy/approval.h"
#include "store/certificate.h"

struct ca;

struct ca_create_options {
	const char *folder;             /* made 0700 */
	const char *organization;       /* O of both names; NULL: none */
	const char *root_name, *issuing_name; /* CN */
	enum keyfile_kind root_key, issuing_key;
	int64_t root_lifetime, issuing_lifetime; /* seconds */
	enum keyfile_passphrase passphrase; /* what kind the one given to ca_create is */
};
/* Makes root and issuing CA. CONFLICT when the folder holds one already. What a crash left half made
 * is completed by the next call with the same passphrase: issuing.pem, written last, makes a CA. */
bool ca_create(const struct ca_create_options *options, struct bytes passphrase, struct problem *p) must_use;
bool ca_exists(const char *folder) must_use;

struct ca_options {
	const char *folder;
	const char *const *issuers;     /* NULL-ended names; the first is the default; NULL: "issuing" */
	struct issuer_urls urls;
};
bool ca_open(const struct ca_options *options, struct bytes passphrase, struct ca **ret, struct problem *p) must_use;
void ca_free(struct ca *ca);
declare_auto_struct(ca, ca_free);

/* The issuer of that name; "" is the default; NULL: none. */
const struct issuer *ca_issuer(const struct ca *ca, const char *name);
const struct issuer *ca_issuer_at(const struct ca *ca, size_t i); /* NULL past the end */
/* Root certificate, PEM. Borrowed. */
struct bytes ca_root_pem(const struct ca *ca);

/* Signs the approval, which is consumed in any case (*approval is NULL afterwards). ret is a
 * complete inventory row, its memory owned by ret (certificate_free): der, serial of 128 random
 * bits, names, origin. UNAVAILABLE when the issuer's own life ends before not_after (RFC 5280:
 * never beyond the issuer), INTERNAL when signing fails. */
bool ca_issue(struct ca *ca, struct approval **approval, struct certificate *ret, struct problem *p) must_use;
