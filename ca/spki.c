#include "ca/spki.h"

#include "base/digest.h"

#define ALGORITHM(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define RSA_ENCRYPTION ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")

/* RFC 3279, 2.3.1: the parameters of RSA are NULL. RFC 5480, 2.1.1: those of EC name the curve.
 * RFC 8410, 3: those of Ed25519 are absent. */
static const struct bytes algorithms[KEY_ALGORITHM_MAX] = {
	[KEY_RSA_2048] = RSA_ENCRYPTION,
	[KEY_RSA_3072] = RSA_ENCRYPTION,
	[KEY_RSA_4096] = RSA_ENCRYPTION,
	[KEY_EC_P256] = ALGORITHM("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	[KEY_EC_P384] = ALGORITHM("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
	[KEY_EC_P521] = ALGORITHM("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
	[KEY_ED25519] = ALGORITHM("\x30\x05\x06\x03\x2b\x65\x70"),
};

/* Takes the head of one element off the front: its tag and a definite length in its shortest form,
 * up to 65535. What follows must reach to the end of the element and of the input alike. */
static bool head_take(struct bytes *in, uint8_t tag)
{
	if (in->len < 4 || in->data[0] != tag)
		return false;

	size_t count = in->data[1] < 0x80 ? 0 : in->data[1] - 0x80u, len = in->data[1];
	if (count > 2 || (count == 0 && in->data[1] == 0x80))
		return false;
	if (count > 0)
		len = count == 1 ? in->data[2] : (size_t)in->data[2] << 8 | in->data[3];
	if ((count == 1 && len < 0x80) || (count == 2 && len < 0x100))
		return false;
	*in = BYTES(in->data + 2 + count, in->len - 2 - count);
	return in->len == len;
}

bool spki_key_bits(struct bytes der, enum key_algorithm algorithm, struct bytes *ret, struct problem *p)
{
	struct bytes wanted = algorithms[algorithm], rest = der;

	if (!head_take(&rest, 0x30))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 5280, 4.1.2.7: the SubjectPublicKeyInfo is not DER");
	if (rest.len < wanted.len || memcmp(rest.data, wanted.data, wanted.len) != 0)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 5280, 4.1.2.7: the algorithm of the key is not written as %s is to be",
		                   key_algorithm_name(algorithm));
	rest = BYTES(rest.data + wanted.len, rest.len - wanted.len);
	if (!head_take(&rest, 0x03) || rest.len < 2 || rest.data[0] != 0)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 5280, 4.1.2.7: subjectPublicKey is not DER of whole octets");
	*ret = BYTES(rest.data + 1, rest.len - 1);
	return true;
}

void spki_key_identifier(struct bytes key_bits, uint8_t ret[KEY_IDENTIFIER_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	digest_sha256(key_bits, digest);
	memcpy(ret, digest, KEY_IDENTIFIER_SIZE);
}
