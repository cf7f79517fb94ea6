#include "base/ossl.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/tlv.h"

bool ossl_public_der(EVP_PKEY *key, struct buf *ret, struct problem *p)
{
	if (ossl_der(i2d_PUBKEY, key, ret))
		return true;
	return ret->failed ? problem_memory(p) : problem_openssl(p, "SubjectPublicKeyInfo");
}

/* SubjectPublicKeyInfo, RFC 5280, 4.1; the key without the count of unused bits, which is 0. */
struct spki {
	struct bytes algorithm, parameters, key;
};

static bool spki_split(struct bytes der, struct spki *ret)
{
	struct bytes outer, bits;

	if (!tlv_only(der, TLV_SEQUENCE, &outer) || !tlv_take(&outer, TLV_SEQUENCE, &ret->parameters) ||
	    !tlv_only(outer, TLV_BIT_STRING, &bits) || !tlv_take(&ret->parameters, TLV_OID, &ret->algorithm))
		return false;
	if (bits.len < 1 || bits.data[0] != 0)
		return false;
	ret->key = BYTES(bits.data + 1, bits.len - 1);
	return true;
}

static EVP_PKEY *key_from_params(const char *type, int selection, OSSL_PARAM params[])
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		return NULL;
	return key;
}

/* RFC 5480, 2.1.1.1: OBJECT IDENTIFIER of the curve, tag and length included. */
static const struct curve {
	struct bytes oid;
	size_t field; /* bytes of a coordinate */
	const char *group;
} curves[] = {
	{ BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10), 32, "P-256" },
	{ BYTES("\x06\x05\x2b\x81\x04\x00\x22", 7), 48, "P-384" },
	{ BYTES("\x06\x05\x2b\x81\x04\x00\x23", 7), 66, "P-521" },
};

static const struct curve *curve_find(struct bytes parameters)
{
	for (size_t i = 0; i < array_length(curves); i++)
		if (bytes_equal(curves[i].oid, parameters))
			return &curves[i];
	return NULL;
}

/* Keys without a point: setting up a curve is most of the work of decoding a key on it, so that is
 * done once, and copied. They live as long as the process. */
static EVP_PKEY *on_curve[array_length(curves)];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void curves_setup(void)
{
	for (size_t i = 0; i < array_length(curves); i++) {
		char group[8];

		strcpy(group, curves[i].group);
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
			OSSL_PARAM_construct_end(),
		};
		on_curve[i] = key_from_params("EC", EVP_PKEY_KEY_PARAMETERS, params);
		assert(on_curve[i]);
	}
}

/* RFC 5480, 2.2: uncompressed or compressed; hybrid forms are not allowed, nor is infinity. That
 * the point is on the curve is checked as it is set; these curves have cofactor 1. */
static EVP_PKEY *key_from_point(const struct curve *curve, struct bytes point)
{
	uint8_t form = point.len > 0 ? point.data[0] : 0;
	bool whole = form == 4 && point.len == 1 + 2 * curve->field;
	bool compressed = (form == 2 || form == 3) && point.len == 1 + curve->field;

	if (!whole && !compressed)
		return NULL;
	pthread_once(&once, curves_setup);
	auto(EVP_PKEY) *key = EVP_PKEY_dup(on_curve[curve - curves]);
	if (!key || EVP_PKEY_set1_encoded_public_key(key, point.data, point.len) != 1)
		return NULL;
	return steal(key);
}

/* A number, big-endian, turned to the machine's byte order. */
static bool set_number(struct bytes n, uint8_t *room, size_t size, OSSL_PARAM *ret, const char *name)
{
	if (n.len == 0 || n.len > size)
		return false;
	auto(BIGNUM) *bn = BN_bin2bn(n.data, (int)n.len, NULL);
	if (!bn || BN_bn2nativepad(bn, room, (int)n.len) < 0)
		return false;
	*ret = OSSL_PARAM_construct_BN(name, room, n.len);
	return true;
}

/* A positive odd INTEGER in its shortest form. */
static bool take_odd(struct bytes *in, uint8_t *room, size_t size, OSSL_PARAM *ret, const char *name)
{
	struct bytes n;

	if (!tlv_take(in, TLV_INTEGER, &n) || n.len == 0 || n.data[0] >= 0x80 || !(n.data[n.len - 1] & 1))
		return false;
	if (n.data[0] == 0 && (n.len == 1 || n.data[1] < 0x80))
		return false;
	if (n.data[0] == 0)
		n = BYTES(n.data + 1, n.len - 1);
	return set_number(n, room, size, ret, name);
}

enum { RSA_BYTES_MAX = 16384 / 8 }; /* what OpenSSL verifies with */

/* RFC 8017, A.1.1. How long a modulus and which exponents are good is for the policy to say. */
static EVP_PKEY *key_from_rsa(struct bytes der)
{
	uint8_t modulus[RSA_BYTES_MAX], exponent[RSA_BYTES_MAX];
	OSSL_PARAM params[3] = { [2] = OSSL_PARAM_construct_end() };
	struct bytes pair;

	if (!tlv_only(der, TLV_SEQUENCE, &pair) ||
	    !take_odd(&pair, modulus, sizeof(modulus), &params[0], OSSL_PKEY_PARAM_RSA_N) ||
	    !take_odd(&pair, exponent, sizeof(exponent), &params[1], OSSL_PKEY_PARAM_RSA_E) || pair.len != 0)
		return NULL;
	return key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, params);
}

/* RFC 8410, 3 and 4: no parameters, 32 bytes. */
static EVP_PKEY *key_from_ed25519(const struct spki *spki)
{
	if (spki->parameters.len != 0)
		return NULL;
	return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, spki->key.data, spki->key.len);
}

/* OpenSSL's own decoder, for the algorithms that have no quick path here. */
static EVP_PKEY *key_from_decoder(struct bytes der)
{
	const unsigned char *at = der.data;
	auto(EVP_PKEY) *key = d2i_PUBKEY(NULL, &at, (long)der.len);

	return key && at == der.data + der.len ? steal(key) : NULL;
}

static const struct bytes oid_rsa = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
static const struct bytes oid_ec = BYTES("\x2a\x86\x48\xce\x3d\x02\x01", 7);
static const struct bytes oid_ed25519 = BYTES("\x2b\x65\x70", 3);
static const struct bytes der_null = BYTES("\x05\x00", 2);

/* RFC 3279, 2.3.1: the parameters of rsaEncryption are NULL. RFC 5480, 2.1.1: those of an EC key
 * name the curve, and never spell one out. */
static EVP_PKEY *key_from_spki(const struct spki *spki, struct bytes der)
{
	if (bytes_equal(spki->algorithm, oid_rsa))
		return bytes_equal(spki->parameters, der_null) ? key_from_rsa(spki->key) : NULL;
	if (bytes_equal(spki->algorithm, oid_ed25519))
		return key_from_ed25519(spki);
	if (!bytes_equal(spki->algorithm, oid_ec))
		return key_from_decoder(der);
	const struct curve *curve = curve_find(spki->parameters);
	if (curve)
		return key_from_point(curve, spki->key);
	bool named = spki->parameters.len > 0 && spki->parameters.data[0] == TLV_OID;
	return named ? key_from_decoder(der) : NULL;
}

bool ossl_no_memory(struct problem *p)
{
	bool none = false;

	for (unsigned long code; (code = ERR_get_error()) != 0;)
		none |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	if (none)
		problem_memory(p);
	return none;
}

static bool bad_key(struct problem *p)
{
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
	                                         "RFC 5280, 4.1.2.7: the public key is not a valid key of its algorithm");
}

bool ossl_public_key(struct bytes spki, EVP_PKEY **ret, struct problem *p)
{
	struct spki parts;

	if (!spki_split(spki, &parts))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "RFC 5280, 4.1: not the DER of a SubjectPublicKeyInfo");
	EVP_PKEY *key = key_from_spki(&parts, spki);
	if (!key)
		return bad_key(p);
	*ret = key;
	return true;
}

static void put_coordinate(uint8_t *at, size_t field, struct bytes coordinate)
{
	memset(at, 0, field - coordinate.len);
	if (coordinate.len > 0)
		memcpy(at + field - coordinate.len, coordinate.data, coordinate.len);
}

bool ossl_ec_key(const char *group, struct bytes x, struct bytes y, EVP_PKEY **ret, struct problem *p)
{
	uint8_t point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
	const struct curve *curve = NULL;

	for (size_t i = 0; i < array_length(curves); i++)
		if (str_equal(curves[i].group, group))
			curve = &curves[i];
	if (!curve || x.len > curve->field || y.len > curve->field)
		return bad_key(p);
	put_coordinate(point + 1, curve->field, x);
	put_coordinate(point + 1 + curve->field, curve->field, y);
	*ret = key_from_point(curve, BYTES(point, 1 + 2 * curve->field));
	return *ret || bad_key(p);
}

bool ossl_rsa_key(struct bytes n, struct bytes e, EVP_PKEY **ret, struct problem *p)
{
	uint8_t modulus[RSA_BYTES_MAX], exponent[RSA_BYTES_MAX];
	OSSL_PARAM params[3] = { [2] = OSSL_PARAM_construct_end() };

	if (!set_number(n, modulus, sizeof(modulus), &params[0], OSSL_PKEY_PARAM_RSA_N) ||
	    !set_number(e, exponent, sizeof(exponent), &params[1], OSSL_PKEY_PARAM_RSA_E))
		return bad_key(p);
	*ret = key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, params);
	return *ret || bad_key(p);
}

bool ossl_private_der(EVP_PKEY *key, struct buf *ret, struct problem *p)
{
	auto(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);

	return (info && ossl_der(i2d_PKCS8_PRIV_KEY_INFO, info, ret)) || problem_openssl(p, "PKCS #8");
}

bool ossl_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}

struct bytes ossl_key_id(X509 *certificate)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(certificate);

	return id ? BYTES(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)) : BYTES(NULL, 0);
}

static bool is_identifier(int type)
{
	return type == GEN_DNS || type == GEN_IPADD || type == GEN_EMAIL || type == GEN_URI;
}

bool ossl_other_names(X509 *certificate, struct strings *ret, struct problem *p)
{
	auto(GENERAL_NAMES) *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	if (ossl_no_memory(p)) /* it reads as if there were none */
		return false;
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
		auto_value(buf) der = {0}, hex = {0};
		if (is_identifier(name->type))
			continue;
		if (!ossl_der(i2d_GENERAL_NAME, name, &der))
			return problem_memory(p);
		buf_add_hex(&hex, buf_bytes(&der));
		if (!buf_check(&hex, p) || !strings_add(ret, buf_text(&hex)))
			return problem_memory(p);
	}
	return true;
}

bool ossl_use_pss(EVP_PKEY_CTX *how)
{
	return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
}

enum { PEM_LINE_BYTES = 48 }; /* 64 characters, RFC 7468, 2 */

void ossl_pem(const char *label, struct bytes der, struct buf *ret)
{
	buf_printf(ret, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < der.len; at += PEM_LINE_BYTES) {
		size_t left = der.len - at;
		buf_add_base64(ret, BYTES(der.data + at, left < PEM_LINE_BYTES ? left : PEM_LINE_BYTES));
		buf_add_char(ret, '\n');
	}
	buf_printf(ret, "-----END %s-----\n", label);
}

bool ossl_certificate_pem(const X509 *certificate, struct buf *ret, struct problem *p)
{
	auto_value(buf) der = {0};

	if (!ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	ossl_pem("CERTIFICATE", buf_bytes(&der), ret);
	return buf_check(ret, p);
}

/* The PEM reader's word that the text has ended. */
static bool pem_has_ended(void)
{
	unsigned long error = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

bool ossl_certificates_from_pem(struct bytes text, ossl_x509_stack **ret, struct problem *p)
{
	auto(ossl_x509_stack) *all = sk_X509_new_null();
	auto(BIO) *in = BIO_new_mem_buf(text.len > 0 ? text.data : (const uint8_t *)"", (int)text.len);

	assert(text.len <= INT_MAX);
	if (!all || !in)
		return problem_memory(p);
	for (;;) {
		auto(X509) *next = PEM_read_bio_X509(in, NULL, NULL, NULL);
		if (!next)
			break;
		if (sk_X509_push(all, next) <= 0)
			return problem_memory(p);
		next = NULL;
	}
	if (!pem_has_ended() || sk_X509_num(all) == 0)
		return problem_set(p, PROBLEM_MALFORMED, "expected certificates in PEM, and number %d is none",
		                   sk_X509_num(all) + 1);
	*ret = steal(all);
	return true;
}

/* Where the first boundary of that kind and label begins; NULL without one. */
static const uint8_t *boundary_find(struct bytes text, const char *kind, const char *label, size_t *ret_len)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "-----%s %s-----", kind, label);

	*ret_len = (size_t)n;
	return n < (int)sizeof(line) && text.len > 0 ? memmem(text.data, text.len, line, (size_t)n) : NULL;
}

bool ossl_from_pem(const char *label, struct bytes text, struct buf *ret, struct problem *p)
{
	size_t len, end_len;
	const uint8_t *begin = boundary_find(text, "BEGIN", label, &len);

	if (!begin)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 7468, 2: no \"BEGIN %s\" line", label);
	begin += len;
	struct bytes rest = BYTES(begin, text.len - (size_t)(begin - text.data));
	const uint8_t *end = boundary_find(rest, "END", label, &end_len);
	if (!end)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 7468, 2: no \"END %s\" line", label);
	return base64_decode((const char *)begin, (size_t)(end - begin), ret) ||
	       (buf_check(ret, p) &&
	        problem_set(p, PROBLEM_MALFORMED, "RFC 7468, 2: between the \"%s\" lines is no base64", label));
}
