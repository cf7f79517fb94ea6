/* PKCS #12 (RFC 7292): a key with its certificate and chain in one file under a password. Any thread. */
#pragma once

#include "base/ossl.h"

struct pkcs12_parts {
	EVP_PKEY *key;
	struct bytes certificate;  /* DER */
	struct bytes chain;        /* PEM, may be empty */
	const char *alias;         /* friendlyName; NULL: none */
	const char *password;      /* UTF-8, not empty */
	/* false: PBES2 with AES-256-CBC and PBKDF2 (SHA-256), MAC with SHA-256. true: for importers of before 2020,
	 * pbeWithSHAAnd3-KeyTripleDES-CBC, MAC with SHA-1: do not send it where others can read it. */
	bool legacy;
};
/* Appends DER. */
bool pkcs12_make(const struct pkcs12_parts *parts, struct buf *ret, struct problem *p) must_use;
