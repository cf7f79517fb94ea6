/* The parts of a CSR, each read into the struct csr. Internal to policy/: csr_parse is for others.
 * All refusals are BAD_CSR. */
#pragma once

#include "base/tlv.h"
#include "policy/csr.h"

/* csr_subject.c: the content of a Name (RFC 5280, 4.1.2.4). */
bool csr_subject_read(struct bytes name, struct csr *csr, struct problem *p) must_use;
/* The text of an ASN.1 string as UTF-8. NULL: done; otherwise what is wrong with it, and ret is "". */
const char *csr_text_read(const struct tlv *string, char *ret, size_t size) must_use;

/* csr_extension.c: the content of an Extensions (RFC 5280, 4.1). */
bool csr_extensions_read(struct bytes extensions, struct csr *csr, struct problem *p) must_use;

/* csr_name.c: one more name of another type, yet unreadable. NULL: no memory. */
struct csr_other_name *csr_other_add(struct csr *csr, struct problem *p) must_use;
/* The extnValue of a subjectAltName (RFC 5280, 4.2.1.6). */
bool csr_names_read(struct bytes value, struct csr *csr, struct problem *p) must_use;

/* csr_other.c: the content of an OtherName, and the GeneralName that it is in. */
bool csr_other_read(struct bytes content, struct bytes whole, struct csr_other_name *ret, struct problem *p) must_use;

/* csr_attribute.c: the content of the attributes (RFC 2986, 4.1). */
bool csr_attributes_read(struct bytes attributes, struct csr *csr, struct problem *p) must_use;
/* Appends those that ask for something, of attributes that were read. */
bool csr_attributes_asked(struct bytes attributes, struct buf *ret, struct problem *p) must_use;

/* What the parameters of the AlgorithmIdentifier are. */
enum csr_parameters {
	CSR_NONE,         /* RFC 8410, 3 */
	CSR_NULL_OR_NONE, /* RFC 4055, 5: NULL, and absent is to be accepted. RFC 5758, 3.2: none, yet tpm2-openssl writes NULL */
	CSR_PSS,          /* RFC 4055, 3.1 */
};
struct csr_algorithm {
	const char *name;   /* "rsa-sha256" */
	const char *oid;
	const char *type;   /* of the key, as OpenSSL calls it */
	const char *digest; /* NULL: the algorithm's own */
	enum csr_parameters parameters;
};
/* csr_signature.c */
const struct csr_algorithm *csr_algorithm(enum csr_signature s);
/* algorithm is the content of an AlgorithmIdentifier, signature that of the BIT STRING. */
bool csr_signature_check(EVP_PKEY *key, struct bytes algorithm, struct bytes tbs, struct bytes signature,
                         enum csr_signature *ret, struct problem *p) must_use;
