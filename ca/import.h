/* Import: a CA as other software hands it out: certificate, key and chain in PEM files, or all of it in one
 * PKCS#12 file. Whether it is a good CA is for ca/life.h. Any thread. */
#pragma once

#include "base/ossl.h"

struct import_files {
	const char *certificate;   /* PEM; more certificates after the first belong to the chain */
	const char *chain;         /* PEM; NULL: none beside those */
	const char *key;           /* PEM: PKCS#8, PKCS#1 or SEC 1, encrypted or not; NULL: no key */
	const char *pkcs12;        /* in place of all three */
	struct bytes passphrase;   /* of the key or the PKCS#12 file; empty: none */
};
struct import {
	X509 *certificate;
	EVP_PKEY *key;
	ossl_x509_stack *chain;    /* may be empty */
};
void import_free(struct import *import);
declare_auto_value(import, import_free);

/* MALFORMED names the file; UNAUTHORIZED: a wrong passphrase, or none where one is needed, or a key file that
 * others can read. */
bool import_read(const struct import_files *files, struct import *ret, struct problem *p) must_use;
