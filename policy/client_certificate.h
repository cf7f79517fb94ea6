/* Client certificate: whether a certificate that a TLS client has proven the key of is one that this CA
 * gave to a device, and which names it holds.
 *
 * It is when the inventory has exactly these bytes, as issued by one of the CA's issuers, and has not revoked
 * them, its dates hold, and it is for clients (clientAuth). Only what EST or the API issued counts: a name that
 * ACME has proven is proven for a day, and must not be kept for ever by renewals. Any thread. */
#pragma once

#include "base/ossl.h"
#include "policy/identifier.h"
#include "store/certificate.h"

struct client_certificate {
	char id[RANDOM_ID_SIZE];      /* its row in the inventory */
	char *profile;
	char *subject;                /* RFC 4514 text, "" none */
	struct identifiers names;     /* of its subjectAltName */
	struct strings others;        /* those of other types: the GeneralName's DER in hexadecimal */
	char *name;                   /* serialNumber of its subject, or else its common name; NULL: neither */
	bool expired;                 /* not longer ago than the grace */
	bool registrar;               /* it has id-kp-cmcRA (RFC 6402, 2.10) */
};
void client_certificate_free(struct client_certificate *certificate);
declare_auto_value(client_certificate, client_certificate_free);

/* Whether it names one of these as its issuer, signed by it or not. */
bool client_certificate_claims(X509 *const *issuers, size_t issuer_count, struct bytes der) must_use;
/* What a client has shown. */
struct client_certificate_shown {
	struct bytes der;
	X509 *decoded;                /* the same, where TLS has decoded it, which costs as much as checking it; NULL */
};
/* issuers: the certificates of the CA's issuers. grace: seconds after its end in which it still counts.
 * UNAUTHENTICATED; UNAUTHORIZED: it, or the device that it names, is revoked, and whoever shows it is to be heard in
 * no other way either. */
bool client_certificate_check(struct store *store, X509 *const *issuers, size_t issuer_count,
                              const struct client_certificate_shown *shown, int64_t now, int64_t grace,
                              struct client_certificate *ret, struct problem *p) must_use;
