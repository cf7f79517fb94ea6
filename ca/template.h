/* Template: what an issuer writes into everything it signs, kept ready as DER, and the
 * tbsCertificate (RFC 5280, 4.1.2) around it. Immutable once made; any thread. */
#pragma once

#include "ca/der.h"
#include "ca/issuer.h"
#include "policy/approval.h"

struct template {
	struct buf issuer;     /* Name: the subject of the issuer's own certificate, byte for byte */
	struct buf authority;  /* the authorityKeyIdentifier extension alone */
	struct buf *extensions; /* AKI, AIA, CRL distribution point: one for each shard */
	struct buf brief;      /* AKI, AIA of the issuer's certificate alone (RFC 9608, 3) */
	size_t shards;
	char *crl_urls;        /* "http://ca.example/crl/issuing/"; NULL: no pointers */
};
/* key_id: the issuer's own subject key identifier. */
bool template_make(struct bytes issuer, struct bytes key_id, const char *id, const struct issuer_urls *urls,
                   struct template *ret, struct problem *p) must_use;
/* The CRL, of those side by side, that the certificate of this serial number is to be on. */
size_t template_shard(const struct template *t, struct bytes serial);
/* URL of a shard's CRL, or of the delta to it. NULL: memory is out; or no pointers are written. */
char *template_crl_url(const struct template *t, size_t shard, bool delta) must_use;
/* The Extensions, DER, by which a CA's certificate points to the certificate and the list of who signed it: a
 * root, which has no OCSP responder. Appended. */
bool template_pointers(const char *id, const char *base, struct buf *ret, struct problem *p) must_use;
void template_free(struct template *t);
declare_auto_value(template, template_free);

/* Appends the tbsCertificate. algorithm: the signature's AlgorithmIdentifier, DER. The certificate of
 * an OCSP responder points nowhere: nobody is to ask about it (RFC 9919, 3.2.2). */
bool template_write(const struct template *t, struct bytes algorithm, struct bytes serial,
                    const struct approval_facts *facts, struct buf *ret, struct problem *p) must_use;
