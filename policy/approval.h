/* Approval: the proof that a certificate may be made, and all that is needed to make it.
 *
 * Opaque; made by the gate alone (approval_make is declared in no header), consumed by ca_issue.
 * It carries its own copies. One thread. */
#pragma once

#include "policy/csr.h"
#include "policy/identifier.h"
#include "policy/key.h"
#include "policy/profile.h"

struct approval;

/* What may be read of it. Borrowed from the approval. */
struct approval_facts {
	struct bytes spki;                    /* SubjectPublicKeyInfo DER to certify */
	EVP_PKEY *key;
	enum key_algorithm algorithm;
	const struct identifiers *names;      /* subjectAltName, all proven */
	const struct identifiers *devices;    /* of an order: those of devices among these were proven; NULL: none */
	const struct csr_other_name *others;  /* and those of other types, that the policy allows */
	size_t other_count;
	const char *common_name;              /* NULL: none */
	const struct subject *subject;        /* all attributes, the common name in its place; NULL: that alone */
	bool ca;
	int path_length;                      /* of a CA; -1: none */
	const char *profile;                  /* its name */
	const char *issuer;                   /* id, "" the default */
	int64_t not_before, not_after;        /* both inclusive; backdating done */
	unsigned key_usage;                   /* fits the key's algorithm */
	const struct strings *extended_key_usage;
	bool no_revocation;                   /* noRevAvail in place of what leads to revocation information (RFC 9608) */
	bool must_staple;                     /* the TLS feature status_request (RFC 7633); never with no_revocation */
	const char *hash;                     /* NULL: by issuer key */
	const char *method;                   /* "acme" */
	const char *account, *order;          /* ids; "" unless acme */
	const char *identity;                 /* NULL for acme */
	uint8_t csr_digest[32], key_hash[32];
};
const struct approval_facts *approval_facts(const struct approval *approval);
void approval_free(struct approval *approval);
declare_auto_struct(approval, approval_free);
