/* Issuer: one CA certificate with its key, and what it writes into what it signs.
 *
 * Files of an issuer `issuing` in the CA's folder: issuing.pem (its certificate), issuing.key
 * (ca/keyfile.h), issuing.chain.pem (certificates above it, the root last; more files
 * issuing.chain-NAME.pem are alternate chains, RFC 8555, 7.4.2), issuing.successor (ca/files.h), and root.pem,
 * root.key. Immutable after loading; any thread. Names: [a-z0-9-]{1,32}. */
#pragma once

#include "base/ossl.h"

struct issuer;
enum { ISSUER_NAME_SIZE = 33 };
/* MALFORMED unless it is such a name. */
bool issuer_name_check(const char *name, struct problem *p) must_use;

/* RFC 5280, 4.2.1.9, 4.2.1.3, 4.2.1.2 and 4.1.2.4: what a certificate must be to stand above others. That it is
 * valid now is found with its chain. MALFORMED; the text begins with path. */
bool issuer_certificate_check(const char *path, X509 *certificate, struct problem *p) must_use;

/* Where relying parties find what the certificates point to; NULL leaves the pointer out. */
struct issuer_urls {
	/* "http://ca.example:8080": /ca/{issuer}.crt, /crl/{issuer}/{shard}.crl and /ocsp/{issuer} below it */
	const char *base;
	size_t shards;       /* CRLs side by side among which certificates are spread; 0: one */
};
bool issuer_load(const char *folder, const char *name, struct bytes passphrase, const struct issuer_urls *urls,
                 struct issuer **ret, struct problem *p) must_use;
/* The same without its key: all that can be known of it, and nothing can be signed. */
bool issuer_load_keyless(const char *folder, const char *name, const struct issuer_urls *urls, struct issuer **ret,
                         struct problem *p) must_use;
void issuer_free(struct issuer *issuer);
declare_auto_struct(issuer, issuer_free);

const char *issuer_name(const struct issuer *issuer);
struct bytes issuer_certificate(const struct issuer *issuer);          /* DER */
X509 *issuer_x509(const struct issuer *issuer);                        /* the same, decoded. Borrowed */
/* DER of its certificate, of those above it and of the root, and of issuer_rollover, one after another: all
 * that RFC 7030, 4.1.3 has in /cacerts. Borrowed. */
struct bytes issuer_certificates(const struct issuer *issuer);
/* DER of OldWithNew, NewWithOld and the other root while the root is being rolled over (ca/rollover.h), one
 * after another; empty otherwise. Borrowed. */
struct bytes issuer_rollover(const struct issuer *issuer);
/* Its subjectKeyIdentifier, the authorityKeyIdentifier of what it signs. Borrowed. */
struct bytes issuer_key_id(const struct issuer *issuer);
/* Whether the operators disabled it, as ca_follow has last seen it. */
bool issuer_is_disabled(const struct issuer *issuer);
int64_t issuer_not_after(const struct issuer *issuer);
/* Whether a CA of this pathLenConstraint (-1: none) may stand below it (RFC 5280, 4.2.1.9). */
bool issuer_may_certify(const struct issuer *issuer, int path_length);
/* Chain i without the end certificate and without the root, each PEM with its newline; i = 0 is the
 * default. Borrowed. Asserts i < issuer_chain_count. */
size_t issuer_chain_count(const struct issuer *issuer);
struct bytes issuer_chain_pem(const struct issuer *issuer, size_t i);
/* What a TLS server shows above a certificate of this issuer: the default chain and, while the root is being
 * rolled over and that chain ends in the new one, NewWithOld: who trusts either root alone can verify it. PEM
 * is added to ret. */
bool issuer_add_shown(const struct issuer *issuer, struct buf *ret, struct problem *p) must_use;
/* The root that the default chain ends in, PEM; empty where the issuer is a root itself. Borrowed. */
struct bytes issuer_root_pem(const struct issuer *issuer);
