#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/tpm.h"
#include "attestation_maker.h"

enum { USUAL_ATTRIBUTES = TPM_FIXED_TPM | TPM_FIXED_PARENT | TPM_SENSITIVE_DATA_ORIGIN | TPM_SIGN | 1 << 6 };

/* permanentIdentifier "TPM-1" with assigner 2.23.133.1, hardwareModuleName 2.23.133.1.2 "MOD-1" (RFC 4043; RFC 4108). */
#define PERMANENT "a01b06082b06010505070803a00f300d0c0554504d2d31060467810501"
#define HARDWARE "a01c06082b06010505070804a010300e0605678105010204054d4f442d31"

enum names { NAMES_ALL, NAMES_NONE, NAMES_NO_EXTENSION, NAMES_NO_MANUFACTURER, NAMES_NO_MODEL, NAMES_NO_VERSION,
             NAMES_EMPTY_VERSION, NAMES_ONE_RDN, NAMES_CRITICAL, NAMES_BAD_PERMANENT, NAMES_BAD_HARDWARE };
enum form { FORM_TPMT, FORM_RAW, FORM_BROKEN, FORM_MORE, FORM_ALGORITHM, FORM_HASH, FORM_SHA1, FORM_EMPTY, FORM_NO_R };
enum usage { USAGE_AK, USAGE_AMONG_OTHERS, USAGE_NONE, USAGE_OTHER, USAGE_EMPTY };

static const struct row {
	const char *ak, *key;          /* kinds; NULL: P-256 */
	int64_t alg;                   /* 0: -7 */
	enum form form;
	/* TPMS_ATTEST */
	uint32_t magic;
	uint16_t type;
	const char *extra;             /* what is hashed; NULL: the key authorization */
	const EVP_MD *(*extra_hash)(void);
	enum { NAME_GOOD, NAME_OTHER, NAME_ALGORITHM, NAME_SHORT } name;
	int info_cut;                  /* bytes taken from its end; negative: added */
	/* TPMT_PUBLIC */
	uint16_t public_type, name_algorithm, curve, bits, scheme, symmetric, kdf;
	uint32_t attributes;           /* 0: as usual */
	int public_cut, x_cut;
	bool foreign_point;            /* not on its curve */
	/* certificate */
	const char *subject;
	enum names names;
	enum usage usage;
	/* statement */
	const char *version;           /* NULL: "2.0" */
	const char *missing;           /* a field that is left out */
	bool foreign;                  /* signed by another key than the AK */
	const char *want;              /* NULL: good */
} rows[] = {
	{ .want = NULL },
	{ .form = FORM_RAW },
	{ .ak = "RSA", .alg = -257 },
	{ .ak = "RSA", .alg = -257, .form = FORM_RAW },
	{ .ak = "RSA", .alg = -37 },
	{ .ak = "RSA", .alg = -37, .form = FORM_RAW },
	{ .ak = "RSA", .alg = -258, .extra_hash = EVP_sha384 },
	{ .ak = "RSA", .alg = -259, .extra_hash = EVP_sha512 },
	{ .ak = "P-384", .alg = -35, .extra_hash = EVP_sha384 },
	{ .ak = "P-521", .alg = -36, .extra_hash = EVP_sha512 },
	{ .key = "RSA" },
	{ .key = "RSA", .ak = "RSA", .alg = -257, .scheme = TPM_RSASSA },
	{ .key = "RSA", .scheme = TPM_RSAPSS },
	{ .key = "RSA", .symmetric = 0x0006 },                /* AES, with size and mode */
	{ .key = "P-384" },
	{ .key = "P-521" },
	{ .scheme = TPM_ECDSA },
	{ .scheme = TPM_ECDAA },
	{ .kdf = 0x0020 },
	{ .name_algorithm = TPM_SHA384 },
	{ .name_algorithm = TPM_SHA512 },
	{ .names = NAMES_ONE_RDN },
	{ .names = NAMES_CRITICAL },
	{ .usage = USAGE_AMONG_OTHERS },
	/* the statement */
	{ .version = "1.2", .want = "\"ver\" is not the text \"2.0\"" },
	{ .version = "", .want = "\"ver\" is not the text \"2.0\"" },
	{ .missing = "ver", .want = "\"ver\" is not the text \"2.0\"" },
	{ .missing = "alg", .want = "there is no \"alg\"" },
	{ .missing = "sig", .want = "there is no \"sig\"" },
	{ .missing = "certInfo", .want = "there is no \"certInfo\"" },
	{ .missing = "pubArea", .want = "there is no \"pubArea\"" },
	{ .missing = "x5c", .want = "there is no \"x5c\"" },
	/* the signature of the AK */
	{ .foreign = true, .want = "sig is not a signature (ES256) by the key of the first certificate of x5c over certInfo" },
	{ .ak = "RSA", .alg = -257, .foreign = true, .want = "sig is not a signature" },
	{ .form = FORM_BROKEN, .want = "sig is not a signature" },
	{ .form = FORM_MORE, .want = "sig is not a signature" },
	{ .form = FORM_EMPTY, .want = "there is no \"sig\"" },
	{ .form = FORM_NO_R, .want = "sig is not a signature" },
	{ .ak = "RSA", .alg = -257, .form = FORM_ALGORITHM, .want = "algorithms of the TPMT_SIGNATURE" },
	{ .ak = "RSA", .alg = -37, .form = FORM_ALGORITHM, .want = "algorithms of the TPMT_SIGNATURE" },
	{ .form = FORM_HASH, .want = "algorithms of the TPMT_SIGNATURE" },
	{ .form = FORM_SHA1, .want = "algorithms of the TPMT_SIGNATURE" },
	{ .alg = -257, .want = "is not for the key" },
	{ .ak = "RSA", .alg = -65535, .want = "SHA-1" },
	{ .ak = "ED25519", .alg = -8, .form = FORM_RAW, .want = "\"alg\" has no hash" },
	/* what it certifies */
	{ .magic = 0xff544348, .want = "TPM_GENERATED_VALUE" },
	{ .type = 0x8018, .want = "TPM_ST_ATTEST_CERTIFY" },  /* a quote */
	{ .extra = TOKEN, .want = "extraData of certInfo is not the hash" },
	{ .extra = TOKEN ".other", .want = "extraData of certInfo is not the hash" },
	{ .extra_hash = EVP_sha1, .want = "extraData of certInfo is not the hash" },
	{ .extra_hash = EVP_sha384, .want = "extraData of certInfo is not the hash" },
	{ .ak = "P-384", .alg = -35, .want = "extraData of certInfo is not the hash" },
	{ .name = NAME_OTHER, .want = "certifies another key" },
	{ .name = NAME_ALGORITHM, .want = "certifies another key" },
	{ .name = NAME_SHORT, .want = "certifies another key" },
	{ .name_algorithm = TPM_SHA1, .want = "nameAlg of pubArea" },
	{ .info_cut = 1, .want = "ends too early for a TPMS_ATTEST" },
	{ .info_cut = 40, .want = "ends too early for a TPMS_ATTEST" },
	{ .info_cut = -1, .want = "bytes follow the TPMS_ATTEST" },
	/* the key */
	{ .attributes = USUAL_ATTRIBUTES & ~TPM_FIXED_TPM, .want = "no fixedTPM" },
	{ .attributes = USUAL_ATTRIBUTES & ~TPM_FIXED_PARENT, .want = "no fixedParent" },
	{ .attributes = USUAL_ATTRIBUTES & ~TPM_SENSITIVE_DATA_ORIGIN, .want = "no sensitiveDataOrigin" },
	{ .attributes = USUAL_ATTRIBUTES & ~TPM_SIGN, .want = "no sign" },
	{ .attributes = USUAL_ATTRIBUTES | TPM_RESTRICTED, .want = "(restricted)" },
	{ .public_type = 0x0008, .want = "neither an RSA nor an ECC key" },
	{ .public_type = TPM_RSA, .want = "cannot be read" },
	{ .key = "RSA", .public_type = TPM_ECC, .want = "pubArea cannot be used" },
	{ .curve = 0x0001, .want = "none of the curves" },
	{ .curve = 0x0020, .want = "none of the curves" },    /* SM2's */
	{ .curve = 0x0004, .want = "not a valid key" },
	{ .key = "P-384", .curve = 0x0003, .want = "not a valid key" },
	{ .foreign_point = true, .want = "not a valid key" },
	{ .x_cut = 32, .want = "not a valid key" },
	{ .public_cut = 1, .want = "cannot be read" },
	{ .public_cut = 60, .want = "cannot be read" },
	{ .public_cut = -1, .want = "bytes follow the TPMT_PUBLIC" },
	{ .key = "RSA", .bits = 1024, .want = "cannot be read" },
	{ .key = "RSA", .public_cut = 1, .want = "cannot be read" },
	{ .key = "RSA", .public_cut = -1, .want = "bytes follow the TPMT_PUBLIC" },
	/* the certificate of the AK */
	{ .subject = "AK", .want = "has a subject" },
	{ .names = NAMES_NONE, .want = "names no device" },
	{ .names = NAMES_NO_EXTENSION, .want = "does not say tpmManufacturer" },
	{ .names = NAMES_NO_MANUFACTURER, .want = "does not say tpmManufacturer (2.23.133.2.1)" },
	{ .names = NAMES_NO_MODEL, .want = "does not say tpmModel (2.23.133.2.2)" },
	{ .names = NAMES_NO_VERSION, .want = "does not say tpmVersion (2.23.133.2.3)" },
	{ .names = NAMES_EMPTY_VERSION, .want = "does not say tpmVersion" },
	{ .names = NAMES_BAD_PERMANENT, .want = "malformed permanentIdentifier" },
	{ .names = NAMES_BAD_HARDWARE, .want = "malformed hardwareModuleName" },
	{ .usage = USAGE_NONE, .want = "tcg-kp-AIKCertificate" },
	{ .usage = USAGE_OTHER, .want = "tcg-kp-AIKCertificate" },
};

/* --- structures of a TPM */

static void put_u16(struct buf *b, unsigned n)
{
	buf_add_char(b, (char)(n >> 8));
	buf_add_char(b, (char)n);
}

static void put_u32(struct buf *b, uint32_t n)
{
	put_u16(b, n >> 16);
	put_u16(b, n & 0xffff);
}

static void put_sized(struct buf *b, struct bytes data)
{
	put_u16(b, (unsigned)data.len);
	buf_add(b, data.data, data.len);
}

static void put_number(struct buf *b, EVP_PKEY *key, const char *name, int size, int cut)
{
	auto(BIGNUM) *n = NULL;
	uint8_t raw[512];

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	assert_true(BN_bn2binpad(n, raw, size) == size);
	put_sized(b, BYTES(raw, (size_t)(size - cut)));
}

static void put_scheme(struct buf *b, unsigned scheme)
{
	put_u16(b, scheme ? scheme : TPM_NULL);
	if (scheme)
		put_u16(b, TPM_SHA256);
	if (scheme == TPM_ECDAA)
		put_u16(b, 1);
}

static void put_symmetric(struct buf *b, unsigned symmetric)
{
	put_u16(b, symmetric ? symmetric : TPM_NULL);
	if (symmetric)
		put_u32(b, 0x00800043); /* 128 bits, CFB */
}

static void put_ecc(struct buf *b, const struct row *row, EVP_PKEY *key, const char *kind)
{
	int size = str_equal(kind, "P-256") ? 32 : str_equal(kind, "P-384") ? 48 : 66;

	put_symmetric(b, row->symmetric);
	put_scheme(b, row->scheme);
	put_u16(b, row->curve ? row->curve : size == 32 ? 3 : size == 48 ? 4 : 5);
	put_scheme(b, row->kdf);
	put_number(b, key, "qx", size, row->x_cut);
	put_number(b, key, "qy", size, 0);
	if (row->foreign_point)
		b->data[b->len - 1] ^= 1;
}

static void cut(struct buf *b, int by)
{
	if (by > 0)
		buf_shorten(b, b->len - (size_t)by);
	for (; by < 0; by++)
		buf_add_char(b, 0);
}

static void put_public(struct buf *b, const struct row *row)
{
	const char *kind = row->key ? row->key : "P-256";
	EVP_PKEY *key = made_key(kind, ROLE_ATTESTED);
	bool rsa = str_equal(kind, "RSA");

	put_u16(b, row->public_type ? row->public_type : rsa ? TPM_RSA : TPM_ECC);
	put_u16(b, row->name_algorithm ? row->name_algorithm : TPM_SHA256);
	put_u32(b, row->attributes ? row->attributes : USUAL_ATTRIBUTES);
	put_sized(b, BYTES(NULL, 0));
	if (rsa) {
		put_symmetric(b, row->symmetric);
		put_scheme(b, row->scheme);
		put_u16(b, row->bits ? row->bits : 2048);
		put_u32(b, 0);
		put_number(b, key, "n", 256, 0);
	} else {
		put_ecc(b, row, key, kind);
	}
	cut(b, row->public_cut);
}

static void put_name(struct buf *b, const struct row *row, struct bytes area)
{
	unsigned algorithm = row->name_algorithm ? row->name_algorithm : TPM_SHA256, len;
	const EVP_MD *hash = tpm_hash((uint16_t)algorithm);
	uint8_t name[2 + EVP_MAX_MD_SIZE] = { 0, (uint8_t)algorithm };

	assert_int_equal(EVP_Digest(area.data, area.len, name + 2, &len, hash ? hash : EVP_sha1(), NULL), 1);
	if (row->name == NAME_OTHER)
		name[2] ^= 1;
	if (row->name == NAME_ALGORITHM)
		name[1] ^= 1;
	put_sized(b, BYTES(name, 2 + len - (row->name == NAME_SHORT)));
}

static void put_info(struct buf *b, const struct row *row, struct bytes area)
{
	const EVP_MD *hash = row->extra_hash ? row->extra_hash() : EVP_sha256();
	const char *extra = row->extra ? row->extra : KEY_AUTHORIZATION;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	put_u32(b, row->magic ? row->magic : 0xff544347);
	put_u16(b, row->type ? row->type : 0x8017);
	put_sized(b, BYTES("\x00\x0b" "signer", 8));
	assert_int_equal(EVP_Digest(extra, strlen(extra), digest, &len, hash, NULL), 1);
	put_sized(b, BYTES(digest, len));
	buf_add(b, "clock....reset.+firmware.", 17 + 8);
	put_name(b, row, area);
	put_sized(b, BYTES("\x00\x0b" "qualified", 11));
	cut(b, row->info_cut);
}

/* --- the signature of the AK */

static const EVP_MD *hash_of(int64_t alg)
{
	switch (alg) {
	case -8: return NULL;
	case -35: case -258: return EVP_sha384();
	case -36: case -259: return EVP_sha512();
	default: return EVP_sha256();
	}
}

static void put_pair(struct buf *b, struct bytes der, bool no_r)
{
	const uint8_t *at = der.data;
	auto(ECDSA_SIG) *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	uint8_t raw[66];

	assert_non_null(pair);
	put_sized(b, BYTES(raw, no_r ? 0 : (size_t)BN_bn2bin(ECDSA_SIG_get0_r(pair), raw)));
	put_sized(b, BYTES(raw, (size_t)BN_bn2bin(ECDSA_SIG_get0_s(pair), raw)));
}

static void put_signature(struct buf *b, const struct row *row, struct bytes info)
{
	int64_t alg = row->alg ? row->alg : -7;
	bool rsa = row->ak && str_equal(row->ak, "RSA"), pss = alg == -37;
	const EVP_MD *hash = hash_of(alg);
	auto_value(buf) raw = {0};
	unsigned algorithm = rsa ? pss ? TPM_RSAPSS : TPM_RSASSA : TPM_ECDSA;
	unsigned hashed = hash == EVP_sha384() ? TPM_SHA384 : hash == EVP_sha512() ? TPM_SHA512 : TPM_SHA256;

	sign(made_key(row->ak, row->foreign ? ROLE_OTHER : ROLE_LEAF), hash, pss, info, &raw);
	if (row->form == FORM_EMPTY)
		return;
	if (row->form == FORM_RAW) {
		buf_add(b, raw.data, raw.len);
		return;
	}
	if (row->form == FORM_ALGORITHM)
		algorithm = pss ? TPM_RSASSA : TPM_RSAPSS;
	put_u16(b, algorithm);
	put_u16(b, row->form == FORM_HASH ? TPM_SHA384 : row->form == FORM_SHA1 ? TPM_SHA1 : hashed);
	if (rsa)
		put_sized(b, buf_bytes(&raw));
	else
		put_pair(b, buf_bytes(&raw), row->form == FORM_NO_R);
	if (row->form == FORM_BROKEN)
		b->data[b->len - 1] ^= 1;
	if (row->form == FORM_MORE)
		buf_add_char(b, 0);
}

/* --- the certificate of the AK */

static void put_attribute(struct buf *b, unsigned last, const char *text, bool set)
{
	uint8_t oid[] = { 0x67, 0x81, 0x05, 0x02, (uint8_t)last };
	auto_value(buf) content = {0}, sequence = {0};

	put_der(&content, TLV_OID, BYTES(oid, sizeof(oid)));
	put_der(&content, V_ASN1_UTF8STRING, BYTES_STR(text));
	put_der(&sequence, TLV_SEQUENCE, buf_bytes(&content));
	if (set)
		put_der(b, TLV_SET, buf_bytes(&sequence));
	else
		buf_add(b, sequence.data, sequence.len);
}

static void put_hardware_names(struct buf *b, enum names names)
{
	auto_value(buf) attributes = {0}, set = {0}, name = {0};
	bool apart = names != NAMES_ONE_RDN;

	if (names != NAMES_NO_MANUFACTURER)
		put_attribute(&attributes, 1, "id:49465800", apart);
	if (names != NAMES_NO_MODEL)
		put_attribute(&attributes, 2, "SLB 9670 TPM2.0", apart);
	if (names != NAMES_NO_VERSION)
		put_attribute(&attributes, 3, names == NAMES_EMPTY_VERSION ? "" : "id:0755", apart);
	if (!apart)
		put_der(&set, TLV_SET, buf_bytes(&attributes));
	put_der(&name, TLV_SEQUENCE, buf_bytes(apart ? &attributes : &set));
	put_der(b, TLV_CONTEXT_CONSTRUCTED(4), buf_bytes(&name));
}

static void put_alt_names(struct buf *b, enum names names)
{
	auto_value(buf) content = {0};

	put_hardware_names(&content, names);
	if (names != NAMES_NONE) {
		put_hex(&content, PERMANENT);
		put_hex(&content, HARDWARE);
	}
	if (names == NAMES_BAD_PERMANENT)
		put_hex(&content, "a00e06082b06010505070803a0020c00");
	if (names == NAMES_BAD_HARDWARE)
		put_hex(&content, "a01306082b06010505070804a00730050603678105");
	put_der(b, TLV_SEQUENCE, buf_bytes(&content));
}

static struct extension usage_of(enum usage usage)
{
	switch (usage) {
	case USAGE_AK: return (struct extension){ "2.5.29.37", false, BYTES("\x30\x07\x06\x05\x67\x81\x05\x08\x03", 9) };
	case USAGE_AMONG_OTHERS:
		return (struct extension){ "2.5.29.37", false,
		                           BYTES("\x30\x11\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02\x06\x05\x67\x81\x05\x08\x03", 19) };
	case USAGE_OTHER: return (struct extension){ "2.5.29.37", false, BYTES("\x30\x07\x06\x05\x67\x81\x05\x08\x01", 9) };
	case USAGE_EMPTY: return (struct extension){ "2.5.29.37", false, BYTES("\x30\x00", 2) };
	case USAGE_NONE: break;
	}
	return (struct extension){ "1.2.3.4.5.6", false, BYTES("\x05\x00", 2) };
}

static X509 *make_ak_certificate(const struct row *row, const struct maker_of_devices *m)
{
	auto_value(buf) names = {0};
	struct plan plan = { .name = row->subject, .key = made_key(row->ak, ROLE_LEAF), .issuer = m->ca, .issuer_key = m->ca_key,
	                     .constraints = "CA:FALSE", .extensions = { usage_of(row->usage) } };

	put_alt_names(&names, row->names);
	if (row->names != NAMES_NO_EXTENSION)
		plan.extensions[1] = (struct extension){ "2.5.29.17", row->names == NAMES_CRITICAL, buf_bytes(&names) };
	return make_certificate(&plan);
}

/* --- all of it */

static bool left_out(const struct row *row, const char *field)
{
	return row->missing && str_equal(row->missing, field);
}

static void put_field(struct buf *b, const struct row *row, const char *name, const struct buf *value)
{
	if (left_out(row, name))
		return;
	put_text(b, name);
	put_bytes(b, buf_bytes(value));
}

static void make_object(struct buf *b, const struct row *row, const struct maker_of_devices *m)
{
	auto(X509) *ak = make_ak_certificate(row, m);
	auto_value(buf) area = {0}, info = {0}, signature = {0};

	put_public(&area, row);
	put_info(&info, row, buf_bytes(&area));
	put_signature(&signature, row, buf_bytes(&info));
	put_object(b, "tpm", row->missing ? 5 : 6);
	if (!left_out(row, "ver")) {
		put_text(b, "ver");
		put_text(b, row->version ? row->version : "2.0");
	}
	if (!left_out(row, "alg")) {
		put_text(b, "alg");
		put_integer(b, row->alg ? row->alg : -7);
	}
	put_field(b, row, "sig", &signature);
	put_field(b, row, "certInfo", &info);
	put_field(b, row, "pubArea", &area);
	if (!left_out(row, "x5c"))
		put_x5c(b, ak, m->ca);
}

static void check(const struct row *row, size_t i, const struct maker_of_devices *m)
{
	const struct attestation_rules rules = { .roots[ATTESTATION_TPM] = m->trust };
	auto_value(buf) object = {0}, spki = {0};
	auto_value(attestation) got = {0};
	auto_value(problem) p = {0};

	make_object(&object, row, m);
	bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
	if (good != !row->want || (!good && !strstr(p.detail, row->want)))
		fail_msg("row %zu: %s", i, good ? "good" : p.detail);
	assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
	if (!good)
		return;
	assert_int_equal(got.name_count, 2);
	assert_true(attestation_check_name(&got, "permanent-identifier", "TPM-1/2.23.133.1", &p));
	assert_true(attestation_check_name(&got, "hardware-module", "MOD-1/2.23.133.1.2", &p));
	assert_true(ossl_public_der(made_key(row->key, ROLE_ATTESTED), &spki, &p));
	assert_true(bytes_equal(buf_bytes(&spki), buf_bytes(&got.key)));
}

static void judges_tpm_statements(void **state)
{
	struct maker_of_devices m = make_maker("TPM Root");

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		check(&rows[i], i, &m);
	free_maker(&m);
}

/* CVE-2026-40097: step-ca read the first usage of an extended key usage that had none, and ended. */
static void cve_2026_40097_extended_key_usage_of_nothing(void **state)
{
	struct maker_of_devices m = make_maker("TPM Root");

	(void)state;
	check(&(struct row){ .usage = USAGE_EMPTY, .want = "tcg-kp-AIKCertificate" }, 0, &m);
	free_maker(&m);
}

/* Each structure, cut at each byte, is refused, and nothing is read past its end. */
static void reads_no_further_than_there_is(void **state)
{
	static const struct row rsa = { .key = "RSA", .ak = "RSA", .alg = -257, .scheme = TPM_RSASSA }, ecc = { .want = NULL };
	const struct row *both[] = { &rsa, &ecc };

	(void)state;
	for (size_t k = 0; k < array_length(both); k++) {
		auto_value(buf) area = {0}, info = {0}, signature = {0};

		put_public(&area, both[k]);
		put_info(&info, both[k], buf_bytes(&area));
		put_signature(&signature, both[k], buf_bytes(&info));
		const struct buf *all[] = { &area, &info, &signature };
		for (size_t which = 0; which < array_length(all); which++)
			for (size_t len = 0; len <= all[which]->len; len++) {
				auto_free uint8_t *exact = malloc(len ? len : 1);
				auto_value(problem) p = {0};
				struct tpm_public public;
				struct tpm_certified certified;
				struct tpm_signature read;
				struct bytes in = BYTES(exact, len);

				memcpy(exact, all[which]->data, len);
				bool good = which == 0 ? tpm_public_read(in, &public, &p)
				          : which == 1 ? tpm_certified_read(in, &certified, &p) : tpm_signature_read(in, &read);
				if (good != (len == all[which]->len))
					fail_msg("structure %zu of key %zu, %zu bytes", which, k, len);
			}
	}
}

/* A coordinate that begins with zero bytes comes shorter from some TPMs, and is the same key. */
static void takes_short_coordinates(void **state)
{
	(void)state;
	for (int tries = 0; tries < 20000; tries++) {
		auto(EVP_PKEY) *key = EVP_EC_gen("P-256"), *got = NULL;
		auto(BIGNUM) *x = NULL, *y = NULL;
		auto_value(problem) p = {0};
		uint8_t x_raw[32], y_raw[32];

		assert_int_equal(EVP_PKEY_get_bn_param(key, "qx", &x), 1);
		assert_int_equal(EVP_PKEY_get_bn_param(key, "qy", &y), 1);
		if (BN_num_bytes(x) == 32)
			continue;
		struct tpm_public public = { .type = TPM_ECC, .curve = 3 };
		public.x = BYTES(x_raw, (size_t)BN_bn2bin(x, x_raw));
		public.y = BYTES(y_raw, (size_t)BN_bn2bin(y, y_raw));
		assert_true(tpm_public_key(&public, &got, &p));
		assert_int_equal(EVP_PKEY_eq(key, got), 1);
		return;
	}
	fail_msg("no key with a short coordinate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_tpm_statements),
		cmocka_unit_test(cve_2026_40097_extended_key_usage_of_nothing),
		cmocka_unit_test(reads_no_further_than_there_is),
		cmocka_unit_test(takes_short_coordinates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
