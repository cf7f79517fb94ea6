/* Words: algorithms and usages as the users of several products write them: "EC_prime256v1" and "ec-p256",
 * "digital_signature" and "digitalSignature". Case, "-", "_" and spaces do not count. Internal to admin/. */
#pragma once

#include "policy/csr.h"

bool word_key_algorithm(const char *text, enum key_algorithm *ret) must_use;
/* "RSA-SHA256", "ecdsa-sha384". */
bool word_signature(const char *text, enum csr_signature *ret) must_use;
/* A KU_ bit. */
bool word_key_usage(const char *text, unsigned *ret) must_use;
/* A dotted OID, of "serverAuth" or of such an OID. */
bool word_extended_key_usage(const char *text, char *ret, size_t size) must_use;
/* "dns", "dns_name", "ip_address", ...; "upn" is the one that is no identifier. */
bool word_name_type(const char *text, enum identifier_type *ret, bool *ret_upn) must_use;
/* Whether the words are the same. */
bool word_is(const char *text, const char *word) must_use;
