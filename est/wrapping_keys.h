/* Wrapping keys: those that keys made here are encrypted with for their clients (RFC 7030, 4.4.1), from files.
 *
 * A symmetric key is known by an identifier that both sides were told (DecryptKeyIdentifier), a certificate by its
 * subject key identifier (AsymmetricDecryptKeyIdentifier). Immutable, counted by reference; any thread. */
#pragma once

#include "base/ossl.h"

struct wrapping_key {
	char *id;                  /* the identifier as text */
	char *file;                /* 16, 24 or 32 bytes in hexadecimal; nobody else may read it */
};
struct wrapping_options {
	struct wrapping_key *keys;
	size_t key_count;
	struct strings certificates; /* PEM files */
};

struct wrapping_keys;
/* Reads the files. MALFORMED, NOT_FOUND name the file. References: 1. */
bool wrapping_keys_new(const struct wrapping_options *options, struct wrapping_keys **ret, struct problem *p) must_use;
struct wrapping_keys *wrapping_keys_ref(struct wrapping_keys *keys);
void wrapping_keys_unref(struct wrapping_keys *keys);
declare_auto_struct(wrapping_keys, wrapping_keys_unref);

/* Empty: there is none. Borrowed. */
struct bytes wrapping_keys_find(const struct wrapping_keys *keys, struct bytes id);
/* NULL: there is none. Borrowed. */
X509 *wrapping_keys_certificate(const struct wrapping_keys *keys, struct bytes key_id);
