/* Digest: SHA-1/2 and HMAC. The algorithms are fetched once, by the first call. Any thread. */
#pragma once

#include "base/bytes.h"

enum { SHA256_SIZE = 32 };

void digest_sha1(struct bytes in, uint8_t ret[20]);
void digest_sha256(struct bytes in, uint8_t ret[SHA256_SIZE]);
/* HMAC with SHA-256, 384 or 512 (bits says which); ret has bits/8 bytes. */
void digest_hmac(int bits, struct bytes key, struct bytes in, uint8_t *ret);
