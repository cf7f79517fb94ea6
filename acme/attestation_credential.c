#include "acme/attestation_statement.h"

/* Authenticator data (WebAuthn Level 3, 6.1): rpIdHash, flags, signCount; then attested credential data
 * (6.5.1): aaguid, credential ID with its length, and the key as a COSE_Key (RFC 9053, 7). Extensions may
 * follow. */
enum { FIXED_SIZE = 32 + 1 + 4, FLAGS_AT = 32, AAGUID_SIZE = 16 };
enum { FLAG_ATTESTED = 0x40, FLAG_EXTENSIONS = 0x80 };

/* Labels and values of a COSE_Key (RFC 9053, 7.1 and 7.2; RFC 8230, 4). */
enum { COSE_KTY = 1, COSE_CRV = -1, COSE_X = -2, COSE_Y = -3, COSE_N = -1, COSE_E = -2 };
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3, CRV_ED25519 = 6 };

static bool take_credential_id(struct bytes *in)
{
	struct bytes len, id;

	return bytes_take(in, 2, &len) && bytes_take(in, (size_t)len.data[0] << 8 | len.data[1], &id);
}

static struct bytes string_of(const struct cbor *key, int64_t label)
{
	const struct cbor *value = cbor_of_number(key, label, CBOR_BYTES);

	return value ? value->bytes : BYTES(NULL, 0);
}

static int64_t number_of(const struct cbor *key, int64_t label)
{
	const struct cbor *value = cbor_of_number(key, label, CBOR_INTEGER);

	return value ? value->integer : 0;
}

static bool make_okp(const struct cbor *key, EVP_PKEY **ret, struct problem *p)
{
	struct bytes x = string_of(key, COSE_X);

	if (number_of(key, COSE_CRV) == CRV_ED25519)
		*ret = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x.data, x.len);
	return *ret || problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 9053, 7.2: no key of Ed25519");
}

static bool make_key(const struct cbor *key, EVP_PKEY **ret, struct problem *p)
{
	static const char *const groups[] = { NULL, "P-256", "P-384", "P-521" };
	int64_t crv = number_of(key, COSE_CRV);

	switch (number_of(key, COSE_KTY)) {
	case KTY_OKP: return make_okp(key, ret, p);
	case KTY_EC2:
		return crv > 0 && crv < (int64_t)array_length(groups)
		       ? ossl_ec_key(groups[crv], string_of(key, COSE_X), string_of(key, COSE_Y), ret, p)
		       : problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 9053, 7.1: the curve is not known");
	case KTY_RSA: return ossl_rsa_key(string_of(key, COSE_N), string_of(key, COSE_E), ret, p);
	default: return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 9053, 7: the kind of key is not known");
	}
}

bool attestation_credential_key(const struct attestation_statement *s, EVP_PKEY **ret, struct problem *p)
{
	struct bytes in = s->auth_data, fixed, aaguid;
	auto_value(problem) why = {0};
	struct cbor_run run;

	if (!bytes_take(&in, FIXED_SIZE, &fixed) || !(fixed.data[FLAGS_AT] & FLAG_ATTESTED) ||
	    !bytes_take(&in, AAGUID_SIZE, &aaguid) || !take_credential_id(&in))
		return attestation_refuse(s, p, "authData has no attested credential (WebAuthn, 6.5.1)");
	bool good = cbor_take(&in, &run, &why) && run.item[0].kind == CBOR_MAP;
	if (!good || (in.len > 0 && !(fixed.data[FLAGS_AT] & FLAG_EXTENSIONS)))
		return attestation_refuse(s, p, "the credential in authData has no key (WebAuthn, 6.5.1)");
	return make_key(&run.item[0], ret, &why) ||
	       attestation_refuse(s, p, "the key of the credential in authData cannot be used: %s", why.detail);
}
