#include "policy/key.h"

#include <openssl/core_names.h>

#include "base/digest.h"
#include "base/ossl.h"
#include "policy/key_rsa.h"
#include "policy/key_turn.h"

static const struct {
	const char *name;
	const char *type;      /* OpenSSL's */
	const char *group;     /* NULL: not an EC key */
	int bits;              /* RSA: at least */
	size_t spki_length;    /* the one length of its DER; 0: no one length */
	unsigned key_usage;
} algorithms[KEY_ALGORITHM_MAX] = {
#define RSA_USAGE (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)
#define EC_USAGE (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_AGREEMENT | \
                  KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY)
	[KEY_RSA_2048] = { "rsa-2048", "RSA", NULL, 2048, 0, RSA_USAGE },
	[KEY_RSA_3072] = { "rsa-3072", "RSA", NULL, 3072, 0, RSA_USAGE },
	[KEY_RSA_4096] = { "rsa-4096", "RSA", NULL, 4096, 0, RSA_USAGE },
	[KEY_EC_P256] = { "ec-p256", "EC", "prime256v1", 0, 91, EC_USAGE },
	[KEY_EC_P384] = { "ec-p384", "EC", "secp384r1", 0, 120, EC_USAGE },
	[KEY_EC_P521] = { "ec-p521", "EC", "secp521r1", 0, 158, EC_USAGE },
	[KEY_ED25519] = { "ed25519", "ED25519", NULL, 0, 44, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION },
#undef RSA_USAGE
#undef EC_USAGE
};
enum { RSA_BITS_MAX = 4096 };

const char *key_algorithm_name(enum key_algorithm a)
{
	return algorithms[a].name;
}

static bool rsa_make(int bits, EVP_PKEY **ret, struct problem *p)
{
	if (!key_turn_begin(p))
		return false;
	*ret = EVP_RSA_gen((unsigned)bits);
	key_turn_end();
	return true;
}

bool key_make(enum key_algorithm a, EVP_PKEY **ret, struct problem *p)
{
	EVP_PKEY *key = NULL;

	if (algorithms[a].bits && !rsa_make(algorithms[a].bits, &key, p))
		return false;
	if (!algorithms[a].bits)
		key = algorithms[a].group ? EVP_EC_gen(algorithms[a].group)
		                          : EVP_PKEY_Q_keygen(NULL, NULL, algorithms[a].type);
	if (!key)
		return problem_openssl(p, "making a key");
	*ret = key;
	return true;
}

static bool algorithm_of_rsa(EVP_PKEY *key, enum key_algorithm *ret, struct problem *p)
{
	int bits = EVP_PKEY_get_bits(key);

	if (bits > RSA_BITS_MAX)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "an RSA key of %d bits: %d is the most", bits,
		                   RSA_BITS_MAX);
	for (enum key_algorithm a = KEY_ALGORITHM_MAX; a-- > 0;) {
		if (str_equal(algorithms[a].type, "RSA") && bits >= algorithms[a].bits) {
			*ret = a;
			return true;
		}
	}
	return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "an RSA key of %d bits: 2048 is the least", bits);
}

static bool algorithm_of_ec(EVP_PKEY *key, enum key_algorithm *ret, struct problem *p)
{
	char group[64] = "";

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 5480, 2.1.1: the EC key is on no named curve");
	for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++) {
		if (algorithms[a].group && str_equal(algorithms[a].group, group)) {
			*ret = a;
			return true;
		}
	}
	return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "an EC key on %s: P-256, P-384 and P-521 are supported",
	                   group);
}

bool key_algorithm_of(EVP_PKEY *key, enum key_algorithm *ret, struct problem *p)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return algorithm_of_rsa(key, ret, p);
	if (EVP_PKEY_is_a(key, "EC"))
		return algorithm_of_ec(key, ret, p);
	if (!EVP_PKEY_is_a(key, "ED25519"))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "a key of type %s: RSA, EC and Ed25519 are supported",
		                   EVP_PKEY_get0_type_name(key) ?: "unknown");
	*ret = KEY_ED25519;
	return true;
}

unsigned key_algorithm_usage(enum key_algorithm a)
{
	return algorithms[a].key_usage;
}

bool key_form_check(struct bytes spki, enum key_algorithm a, struct problem *p)
{
	size_t want = algorithms[a].spki_length;

	if (want == 0 || spki.len == want)
		return true;
	return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
	                   "RFC 5480, 2.2: an %s key in another form than the uncompressed one", key_algorithm_name(a));
}

static bool check_rsa(EVP_PKEY *key, struct problem *p)
{
	auto(BIGNUM) *n = NULL, *e = NULL;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return problem_openssl(p, "modulus and exponent of an RSA key");
	return key_rsa_check(n, e, p);
}

/* On the curve and not infinity; the curves have cofactor 1, so that no more is to be checked (NIST
 * SP 800-56A, 5.6.2.3.4). */
static bool check_ec(EVP_PKEY *key, struct problem *p)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (!ctx)
		return problem_memory(p);
	if (EVP_PKEY_public_check_quick(ctx) == 1)
		return true;
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the EC key is not a point on its curve");
}

enum { ED25519_SIZE = 32 };

/* The y of the points whose order divides 8 (RFC 8032, 5.1: 1, -1, 0, and the two of order 8), lowest
 * byte first, the sign of x left out. */
static const uint8_t small_order[][ED25519_SIZE] = {
	{ 0x01 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0x00 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	  0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	  0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
};

/* Whether y is 2^255 - 19 or more: a second spelling of a small one (RFC 8032, 5.1.3). */
static bool is_over_field(const uint8_t y[ED25519_SIZE])
{
	for (size_t i = 1; i < ED25519_SIZE - 1; i++)
		if (y[i] != 0xff)
			return false;
	return y[ED25519_SIZE - 1] == 0x7f && y[0] >= 0xed;
}

static bool check_ed25519(EVP_PKEY *key, struct problem *p)
{
	uint8_t y[ED25519_SIZE];
	size_t len = sizeof(y);

	if (EVP_PKEY_get_raw_public_key(key, y, &len) != 1 || len != sizeof(y))
		return problem_openssl(p, "bytes of an Ed25519 key");
	y[ED25519_SIZE - 1] &= 0x7f;
	if (is_over_field(y))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 8032, 5.1.3: the Ed25519 key is not in its shortest form");
	for (size_t i = 0; i < array_length(small_order); i++)
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
			                   "the Ed25519 key is a point of small order");
	return true;
}

static bool check_listed(EVP_PKEY *key, const struct key_blocklist *list, struct problem *p)
{
	auto_value(buf) spki = {0};
	uint8_t hash[SHA256_SIZE];

	if (!list)
		return true;
	if (!ossl_public_der(key, &spki, p))
		return false;
	digest_sha256(buf_bytes(&spki), hash);
	return !key_blocklist_has(list, hash) ||
	       problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
	                   "the key is on the list of keys that are known to others");
}

bool key_check(EVP_PKEY *key, const struct key_blocklist *list, struct problem *p)
{
	enum key_algorithm algorithm;

	if (!key_algorithm_of(key, &algorithm, p) || !check_listed(key, list, p))
		return false;
	switch (algorithm) {
	case KEY_RSA_2048:
	case KEY_RSA_3072:
	case KEY_RSA_4096:
		return check_rsa(key, p);
	case KEY_EC_P256:
	case KEY_EC_P384:
	case KEY_EC_P521:
		return check_ec(key, p);
	case KEY_ED25519:
		return check_ed25519(key, p);
	case KEY_ALGORITHM_MAX:
		break;
	}
	return problem_internal(p, "key algorithm %d", (int)algorithm);
}
