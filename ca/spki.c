#include "ca/spki.h"

#include "base/digest.h"
#include "base/tlv.h"

#define ALGORITHM(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define RSA_ENCRYPTION ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")

/* RFC 3279, 2.3.1: the parameters of RSA are NULL. RFC 5480, 2.1.1: those of EC name the curve.
 * RFC 8410, 3: those of Ed25519 are absent. */
static const struct bytes algorithms[KEY_ALGORITHM_MAX] = {
	[KEY_RSA_2048] = RSA_ENCRYPTION,
	[KEY_RSA_3072] = RSA_ENCRYPTION,
	[KEY_RSA_4096] = RSA_ENCRYPTION,
	[KEY_EC_P256] = ALGORITHM("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	                          "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	[KEY_EC_P384] = ALGORITHM("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
	[KEY_EC_P521] = ALGORITHM("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
	[KEY_ED25519] = ALGORITHM("\x30\x05\x06\x03\x2b\x65\x70"),
};

bool spki_key_bits(struct bytes der, enum key_algorithm algorithm, struct bytes *ret, struct problem *p)
{
	struct bytes wanted = algorithms[algorithm], rest, bits;

	if (!tlv_only(der, TLV_SEQUENCE, &rest))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 5280, 4.1.2.7: the SubjectPublicKeyInfo is not DER");
	if (rest.len < wanted.len || memcmp(rest.data, wanted.data, wanted.len) != 0)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 5280, 4.1.2.7: the algorithm of the key is not written as %s is to be",
		                   key_algorithm_name(algorithm));
	rest = BYTES(rest.data + wanted.len, rest.len - wanted.len);
	if (!tlv_only(rest, TLV_BIT_STRING, &bits) || bits.len < 2 || bits.data[0] != 0)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 5280, 4.1.2.7: subjectPublicKey is not DER of whole octets");
	*ret = BYTES(bits.data + 1, bits.len - 1);
	return true;
}

void spki_key_hash(struct bytes key_bits, uint8_t ret[KEY_IDENTIFIER_SIZE])
{
	digest_sha1(key_bits, ret);
}

void spki_key_identifier(struct bytes key_bits, uint8_t ret[KEY_IDENTIFIER_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	digest_sha256(key_bits, digest);
	memcpy(ret, digest, KEY_IDENTIFIER_SIZE);
}
