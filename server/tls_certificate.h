/* TLS certificate: what listeners show: the server's certificate, what stands above it, and its key.
 *
 * Counted by reference. It has no key at first; once it is shown nothing of it changes. Any thread then. */
#pragma once

#include "base/ossl.h"

enum { TLS_CERTIFICATE_ABOVE_MAX = 10 };

struct tls_certificate {
	_Atomic unsigned references;
	X509 *own;
	ossl_x509_stack *above;        /* in the order of the file */
	EVP_PKEY *key;
};

/* Reads PEM, the own certificate first; blocks of other kinds are passed over. MALFORMED says which certificate
 * cannot be read. References: 1. */
bool tls_certificate_parse(struct bytes pem, struct tls_certificate **ret, struct problem *p) must_use;
/* Takes a reference. MALFORMED: it is another's. */
bool tls_certificate_set_key(struct tls_certificate *certificate, EVP_PKEY *key, struct problem *p) must_use;
/* Whether clients can be expected to accept it at a time: all of the chain lives, and each certificate signed the
 * one before (RFC 8446, 4.4.2). MALFORMED says which does not. */
bool tls_certificate_judge(const struct tls_certificate *certificate, int64_t now, struct problem *p) must_use;
struct tls_certificate *tls_certificate_ref(struct tls_certificate *certificate);
void tls_certificate_unref(struct tls_certificate *certificate);
declare_auto_struct(tls_certificate, tls_certificate_unref);
