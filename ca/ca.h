/* CA: signs what the policy approved, and nothing else.
 *
 * `struct ca` owns the issuers and their keys. Any thread. What it lends stays good until ca_free: ca_take_up puts
 * other issuers in the place of those that changed, and keeps these for who has them in hand. ca_issue never
 * sees a CSR; it takes approvals, and leaves recording to the caller, who puts the certificate and
 * the change that caused it into one store update before anything leaves the process. */
#pragma once

#include "ca/issuer.h"
#include "ca/keyfile.h"
#include "ca/secret.h"
#include "policy/approval.h"
#include "store/certificate.h"

struct ca;

enum { CA_PATH_LENGTH_MAX = 16 };
struct ca_create_options {
	const char *folder;             /* made 0700 */
	const char *organization;       /* O of both names; NULL: none */
	const char *root_name, *issuing_name; /* CN */
	enum keyfile_kind root_key, issuing_key;
	const char *root_uri, *issuing_uri; /* RFC 7512: the keys are in a token; NULL: they are made */
	int64_t root_lifetime, issuing_lifetime; /* seconds */
	int path_length;                /* CAs that may stand below the issuing CA, one under the other */
	const struct strings *permitted, *excluded; /* names below the issuing CA (ca/constraint.h); NULL: any */
	const char *base;               /* issuer_urls.base; NULL: no pointers */
	enum keyfile_passphrase passphrase; /* what kind the one given to ca_create is */
};
/* Makes root and issuing CA. CONFLICT when the folder holds one already. What a crash left half made
 * is completed by the next call with the same passphrase: issuing.pem, written last, makes a CA. */
bool ca_create(const struct ca_create_options *options, struct bytes passphrase, struct problem *p) must_use;
/* Whether there is a CA below a root, made here or imported. */
bool ca_exists(const char *folder) must_use;

struct ca_options {
	const char *folder;
	const char *const *issuers;     /* NULL-ended names; the first is the default; NULL: "issuing" */
	struct issuer_urls urls;
	bool keyless;                   /* it is to be asked (ca/verdict.h), and signs nothing */
};
bool ca_open(const struct ca_options *options, struct bytes passphrase, struct ca **ret, struct problem *p) must_use;
void ca_free(struct ca *ca);
declare_auto_struct(ca, ca_free);

/* Reads the files anew: other certificates, chains, successors, issuers. The options are those of ca_open. What was
 * read counts when it is taken up, before anything else is; ca_go_back then undoes that. One thread at a time. */
struct ca_table;
bool ca_read(const struct ca *ca, const struct ca_options *options, struct bytes passphrase, struct ca_table **ret,
             struct problem *p) must_use;
void ca_take_up(struct ca *ca, struct ca_table **table);
void ca_go_back(struct ca *ca);
void ca_table_free(struct ca_table *table);
declare_auto_struct(ca_table, ca_table_free);
/* Takes up what the operators decided in the meantime (store/authority.h). Cheap: called every second or so. */
bool ca_follow(struct ca *ca, struct store *store, struct problem *p) must_use;

/* The issuer of that very name, of which a certificate's row tells; "": the one that the default issues from;
 * NULL: none. */
const struct issuer *ca_issuer(const struct ca *ca, const char *name);
/* The issuer that a profile's issuer issues from now: itself, or the last of those that took its place. */
const struct issuer *ca_issuer_current(const struct ca *ca, const char *name);
/* The same in what was read and is not taken up yet. */
const struct issuer *ca_table_current(const struct ca_table *table, const char *name);
/* All of them, those whose place was taken included, for their CRLs and OCSP answers. NULL past the end; a
 * reload may put others at a number. */
const struct issuer *ca_issuer_at(const struct ca *ca, size_t i);
/* Root certificate, PEM. Borrowed. */
struct bytes ca_root_pem(const struct ca *ca);

const char *ca_folder(const struct ca *ca);

/* Signs the approval, which is consumed in any case (*approval is NULL afterwards). ret is a
 * complete inventory row, its memory owned by ret (certificate_free): der, serial of 128 random
 * bits, names, origin. UNAVAILABLE when the issuer's own life ends before not_after (RFC 5280:
 * never beyond the issuer), INTERNAL when signing fails. */
bool ca_issue(struct ca *ca, struct approval **approval, struct certificate *ret, struct problem *p) must_use;
