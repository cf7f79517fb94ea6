#include "ca/signer.h"

#include "ca/pkcs11.h"

enum { SCHEME_MAX = 3 };

struct signer {
	struct signer_scheme scheme[SCHEME_MAX];
	size_t count;
};

#define ALGORITHM(text) { (const uint8_t *)(text), sizeof(text) - 1 }

/* RFC 5758, 3.2: the parameters of ECDSA are absent. RFC 4055, 5: those of RSA are NULL. RFC 8410, 3: so are those of
 * Ed25519 absent, which hashes by itself. The first hash of a kind of key is the one that fits it; RFC 5480,
 * 4 for the curves. */
static const struct row {
	const char *key; /* "EC", "RSA", "ED25519" */
	int bits_min, bits_max;
	const char *hash;
	struct bytes algorithm;
} rows[] = {
	{ "EC", 256, 256, "SHA256", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02") },
	{ "EC", 384, 384, "SHA384", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	{ "EC", 384, 384, "SHA256", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02") },
	{ "EC", 256, 256, "SHA384", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	{ "EC", 256, 384, "SHA512", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04") },
	{ "EC", 521, 521, "SHA512", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04") },
	{ "EC", 521, 521, "SHA384", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	{ "EC", 521, 521, "SHA256", ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02") },
	{ "ED25519", 0, 512, NULL, ALGORITHM("\x30\x05\x06\x03\x2b\x65\x70") },
	{ "RSA", 2048, 8192, "SHA256", ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00") },
	{ "RSA", 2048, 8192, "SHA384", ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00") },
	{ "RSA", 2048, 8192, "SHA512", ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00") },
};

/* Curves of the same size, secp256k1 for one, are not meant. */
static bool curve_known(EVP_PKEY *key)
{
	char group[32] = "";
	size_t len;

	return EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	       (str_equal(group, "prime256v1") || str_equal(group, "secp384r1") || str_equal(group, "secp521r1"));
}

static bool row_fits(const struct row *row, EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	return EVP_PKEY_is_a(key, row->key) && bits >= row->bits_min && bits <= row->bits_max;
}

static bool scheme_add(struct signer *signer, const struct row *row, EVP_PKEY *key, struct problem *p)
{
	auto(EVP_MD_CTX) *ready = EVP_MD_CTX_new();

	if (!ready || EVP_DigestSignInit_ex(ready, NULL, row->hash, NULL, NULL, key, NULL) != 1)
		return problem_openssl(p, "preparing the CA's key");
	EVP_MD_CTX_set_flags(ready, EVP_MD_CTX_FLAG_FINALISE);
	signer->scheme[signer->count++] = (struct signer_scheme){ row->hash, row->algorithm, steal(ready) };
	return true;
}

bool signer_key_check(EVP_PKEY *key, struct problem *p)
{
	bool fits = false;

	if (EVP_PKEY_is_a(key, "EC") && !curve_known(key))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "a CA's EC key is on P-256, P-384 or P-521");
	for (size_t i = 0; i < array_length(rows); i++)
		fits |= row_fits(&rows[i], key);
	return fits || problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
	                           "a CA's key is EC on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits");
}

bool signer_new(EVP_PKEY *key, struct signer **ret, struct problem *p)
{
	auto_struct(signer) *signer = calloc(1, sizeof(*signer));

	if (!signer)
		return problem_memory(p);
	if (!signer_key_check(key, p))
		return false;
	for (size_t i = 0; i < array_length(rows); i++)
		if (row_fits(&rows[i], key) && !scheme_add(signer, &rows[i], key, p))
			return false;
	*ret = steal(signer);
	return true;
}

void signer_free(struct signer *signer)
{
	for (size_t i = 0; signer && i < signer->count; i++)
		EVP_MD_CTX_free(signer->scheme[i].ready);
	free(signer);
}

const struct signer_scheme *signer_scheme(const struct signer *signer, const char *hash)
{
	if (!hash || !signer->scheme[0].hash)
		return &signer->scheme[0];
	for (size_t i = 0; i < signer->count; i++)
		if (str_equal(signer->scheme[i].hash, hash))
			return &signer->scheme[i];
	return NULL;
}

/* Copying a prepared context spares the look-ups by name that initialising one costs. A copy ends with its
 * signature. */
bool signer_sign(const struct signer_scheme *scheme, struct bytes message, struct signature *ret, struct problem *p)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(ret->data);

	if (!ctx || EVP_MD_CTX_copy_ex(ctx, scheme->ready) != 1 ||
	    EVP_DigestSign(ctx, ret->data, &len, message.data, message.len) != 1)
		return pkcs11_trouble(p) ? false : problem_openssl(p, "signing");
	ret->len = len;
	return true;
}

void signature_put(struct der *d, const struct signature *signature)
{
	const uint8_t unused_bits = 0;

	der_open(d, TLV_BIT_STRING);
	buf_add(d->out, &unused_bits, 1);
	buf_add(d->out, signature->data, signature->len);
	der_close(d);
}
