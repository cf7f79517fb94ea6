/* Extension: the extensions of what this CA signs (RFC 5280, 4.2), one table row each.
 *
 * Those of the issuer are the same in every certificate and are written once, when the issuer is
 * loaded; the others with each certificate. Any thread. */
#pragma once

#include "ca/der.h"
#include "ca/spki.h"
#include "policy/approval.h"

/* One extension, around what the caller writes between the two: its value's DER. */
void extension_open(struct der *d, const char *oid, bool critical);
void extension_close(struct der *d);
/* Values. KeyUsage of libcrypto's bits (KU_...), ExtKeyUsageSyntax of these OIDs, and the DistributionPoint of a URL
 * (RFC 5280, 4.2.1.3, 4.2.1.12 and 4.2.1.13). */
void extension_put_key_usage(struct der *d, unsigned usage);
void extension_put_purposes(struct der *d, const struct strings *oids);
void extension_put_point(struct der *d, const char *url);
#define OID_KEY_USAGE "2.5.29.15"
#define OID_EXTENDED_KEY_USAGE "2.5.29.37"
#define OID_SUBJECT_ALT_NAME "2.5.29.17"

#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9" /* id-kp-OCSPSigning */

struct extension_source {
	const struct approval_facts *facts;    /* for those of the certificate */
	uint8_t key_id[KEY_IDENTIFIER_SIZE];
	struct bytes issuer_key_id;            /* for those of the issuer */
	const char *certificate_url, *crl_url, *ocsp_url; /* NULL: left out */
};
/* Whether the certificate is an OCSP responder's (RFC 6960, 4.2.2.2). */
bool extension_signs_ocsp(const struct extension_source *source);
void extension_put_own(struct der *d, const struct extension_source *source);
void extension_put_issuer(struct der *d, const struct extension_source *source);
/* Those of the issuer but for authorityKeyIdentifier. */
void extension_put_pointers(struct der *d, const struct extension_source *source);
/* authorityKeyIdentifier alone: a CRL and an OCSP responder's certificate have no other of the issuer's. */
void extension_put_authority(struct der *d, const struct extension_source *source);
