/* TPM: the structures of a TPM that certifies one of its keys (Trusted Platform Module Library, Part 2:
 * Structures).
 *
 * Numbers are big-endian, and what has a size says it before (TPM2B). Each structure must be all there is in
 * its input. All views are borrowed from the input. Values; any thread. Internal to acme/. */
#pragma once

#include "base/ossl.h"

/* TPM_ALG_ID (6.3) and TPM_ECC_CURVE (6.4), as far as they are known here. */
enum {
	TPM_RSA = 0x0001, TPM_SHA1 = 0x0004, TPM_SHA256 = 0x000b, TPM_SHA384 = 0x000c, TPM_SHA512 = 0x000d,
	TPM_NULL = 0x0010,
	TPM_RSASSA = 0x0014, TPM_RSAES = 0x0015, TPM_RSAPSS = 0x0016, TPM_OAEP = 0x0017, TPM_ECDSA = 0x0018,
	TPM_ECDAA = 0x001a,
	TPM_ECC = 0x0023,
};
/* TPMA_OBJECT (8.3). */
enum {
	TPM_FIXED_TPM = 1 << 1,             /* it never leaves this TPM */
	TPM_FIXED_PARENT = 1 << 4,
	TPM_SENSITIVE_DATA_ORIGIN = 1 << 5, /* the TPM made it */
	TPM_RESTRICTED = 1 << 16,           /* it signs nothing but what the TPM made */
	TPM_SIGN = 1 << 18,
};

/* NULL: not SHA-256, 384 or 512. */
const EVP_MD *tpm_hash(uint16_t algorithm);

/* TPMS_ATTEST (10.12.12) whose magic and type are TPM_GENERATED_VALUE and TPM_ST_ATTEST_CERTIFY. */
struct tpm_certified {
	struct bytes extra_data;
	struct bytes name;         /* of the key: nameAlg, and the hash of its public area (Part 1, 16) */
};
/* MALFORMED says where it fails; so do those below. */
bool tpm_certified_read(struct bytes in, struct tpm_certified *ret, struct problem *p) must_use;

/* TPMT_PUBLIC (12.2.4) of an RSA or ECC key. */
struct tpm_public {
	uint16_t type, name_algorithm;
	uint32_t attributes;
	uint16_t curve;            /* of an ECC key */
	uint32_t exponent;         /* of an RSA key */
	struct bytes modulus, x, y;
};
bool tpm_public_read(struct bytes in, struct tpm_public *ret, struct problem *p) must_use;
/* The key as OpenSSL has it: RSA, or ECC on P-256, P-384 or P-521. MALFORMED or BAD_PUBLIC_KEY. */
bool tpm_public_key(const struct tpm_public *public, EVP_PKEY **ret, struct problem *p) must_use;

/* TPMT_SIGNATURE (11.3.4). */
struct tpm_signature {
	uint16_t algorithm, hash;
	struct bytes rsa, r, s;
};
/* false: it is none. */
bool tpm_signature_read(struct bytes in, struct tpm_signature *ret) must_use;
