/* Every rule for certificates, held against every kind of certificate that this CA issues; and
 * against one that breaks the rule, so that a rule which finds nothing is found. With
 * ENROLLD_LINT_FOLDER set the certificates are left there for tests/lint/pkilint.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/test_ca_issue.h"

struct lint {
	X509 *certificate, *issuer, *root;
	const struct approval_facts *facts;
	struct bytes der;
};

static X509_EXTENSION *extension(const X509 *certificate, int nid)
{
	int i = X509_get_ext_by_NID(certificate, nid, -1);

	return i < 0 ? NULL : X509_get_ext(certificate, i);
}

static struct bytes extension_value(const X509 *certificate, int nid)
{
	X509_EXTENSION *e = extension(certificate, nid);
	const ASN1_OCTET_STRING *value = e ? X509_EXTENSION_get_data(e) : NULL;

	return value ? BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)) : BYTES(NULL, 0);
}

/* -1 when it is not there. */
static int critical(const X509 *certificate, int nid)
{
	X509_EXTENSION *e = extension(certificate, nid);

	return e ? X509_EXTENSION_get_critical(e) : -1;
}

/* --- spoiling: a copy of a good certificate with one thing wrong, signed by a key of its own */

static EVP_PKEY *spoiler_key;

static void replace_extension(X509 *certificate, int nid, int is_critical, struct bytes value)
{
	auto(ASN1_OCTET_STRING) *octets = ASN1_OCTET_STRING_new();
	int i = X509_get_ext_by_NID(certificate, nid, -1);

	assert_int_equal(ASN1_OCTET_STRING_set(octets, value.data, (int)value.len), 1);
	if (i >= 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, i));
	X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, nid, is_critical, octets);
	assert_int_equal(X509_add_ext(certificate, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void flip_critical(X509 *certificate, int nid)
{
	X509_EXTENSION *e = extension(certificate, nid);

	assert_int_equal(X509_EXTENSION_set_critical(e, !X509_EXTENSION_get_critical(e)), 1);
}

static void remove_extension(X509 *certificate, int nid)
{
	X509_EXTENSION_free(X509_delete_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1)));
}

static X509 *spoil_finish(X509 *certificate)
{
	auto_value(buf) der = { 0 };

	assert_true(X509_sign(certificate, spoiler_key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509, certificate, &der));
	X509_free(certificate);
	return test_parse(buf_bytes(&der));
}

/* --- the rules of RFC 5280, by its sections */

static bool version_3(const struct lint *l) { return X509_get_version(l->certificate) == X509_VERSION_3; }
static void spoil_version(X509 *c) { assert_int_equal(X509_set_version(c, X509_VERSION_1), 1); }

static bool serial_number(const struct lint *l)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(l->certificate);
	auto(BIGNUM) *n = ASN1_INTEGER_to_BN(serial, NULL);

	return !BN_is_zero(n) && !BN_is_negative(n) && BN_num_bits(n) >= 64 && BN_num_bits(n) <= 159;
}
static void spoil_serial(X509 *c) { assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), 0), 1); }

static bool no_unique_ids(const struct lint *l)
{
	const ASN1_BIT_STRING *issuer, *subject;

	X509_get0_uids(l->certificate, &issuer, &subject);
	return !issuer && !subject;
}

/* X509 has no call that sets one, so the bytes of issuerUniqueID take the extensions' place. */
static X509 *spoil_unique_ids(const X509 *good)
{
	auto_value(buf) der = { 0 };

	assert_true(ossl_der(i2d_X509, good, &der));
	uint8_t *at = memmem(der.data, der.len, "\x06\x03\x55\x1d", 4);
	while (at > der.data && !(at[0] == 0xa3 && at[1] >= 0x80))
		at--;
	size_t head = (at[1] & 0x7f) + 2u;
	at[0] = 0x81; /* [1] IMPLICIT BIT STRING */
	at[head] = 0; /* no unused bits */
	return test_parse(buf_bytes(&der));
}

/* The two algorithm fields are the same bytes, and parameters are NULL for RSA, absent for ECDSA
 * (RFC 4055, 5; RFC 5758, 3.2). */
static bool signature_algorithm(const struct lint *l)
{
	const X509_ALGOR *outer, *inner = X509_get0_tbs_sigalg(l->certificate);
	const ASN1_OBJECT *oid;
	int type, digest, key;

	X509_get0_signature(NULL, &outer, l->certificate);
	X509_ALGOR_get0(&oid, &type, NULL, inner);
	return X509_ALGOR_cmp(outer, inner) == 0 && OBJ_find_sigid_algs(OBJ_obj2nid(oid), &digest, &key) == 1 &&
	       type == (key == NID_rsaEncryption ? V_ASN1_NULL : V_ASN1_UNDEF) &&
	       (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512);
}

static X509 *spoil_signature_algorithm(const X509 *good)
{
	auto_value(buf) der = { 0 };
	static const uint8_t rsa256[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", ec256[] = "\x2a\x86\x48\xce\x3d\x04\x03\x02";

	assert_true(ossl_der(i2d_X509, good, &der));
	uint8_t *at = memmem(der.data, der.len, ec256, 8);
	size_t len = at ? 8 : 9;
	at = at ? at : memmem(der.data, der.len, rsa256, 9);
	at = at ? at : memmem(der.data, der.len, "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8);
	assert_non_null(at);
	at[len - 1] ^= 0x04; /* of tbsCertificate alone */
	return test_parse(buf_bytes(&der));
}

static bool key_algorithm(const struct lint *l)
{
	ASN1_OBJECT *oid;
	X509_ALGOR *algorithm;
	int type;

	X509_PUBKEY_get0_param(&oid, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(l->certificate));
	X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	int nid = OBJ_obj2nid(oid);
	int want = nid == NID_rsaEncryption ? V_ASN1_NULL : nid == NID_X9_62_id_ecPublicKey ? V_ASN1_OBJECT : V_ASN1_UNDEF;
	return type == want && EVP_PKEY_eq(X509_get0_pubkey(l->certificate), l->facts->key) == 1;
}
static void spoil_key(X509 *c) { assert_int_equal(X509_set_pubkey(c, spoiler_key), 1); }

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static bool time_form(const ASN1_TIME *t)
{
	bool utc = seconds(t) < 2524608000;
	const char *text = (const char *)ASN1_STRING_get0_data(t);
	int len = ASN1_STRING_length(t), want = utc ? 13 : 15;

	return ASN1_STRING_type(t) == (utc ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME) && len == want && text[len - 1] == 'Z';
}
static bool time_forms(const struct lint *l)
{
	return time_form(X509_get0_notBefore(l->certificate)) && time_form(X509_get0_notAfter(l->certificate));
}
static void spoil_time(X509 *c)
{
	assert_int_equal(ASN1_GENERALIZEDTIME_set_string(X509_getm_notBefore(c), "20300101000000Z"), 1);
}

static bool validity(const struct lint *l)
{
	int64_t begin = seconds(X509_get0_notBefore(l->certificate)), end = seconds(X509_get0_notAfter(l->certificate));

	return begin <= end && begin == l->facts->not_before && end == l->facts->not_after &&
	       end <= seconds(X509_get0_notAfter(l->issuer));
}
static void spoil_validity(X509 *c) { assert_non_null(ASN1_TIME_set(X509_getm_notAfter(c), 0)); }

/* RFC 5280, 4.1.2.4 and 6.1.3: compared as bytes by readers that do not fold case. */
static bool issuer_name_equal(const struct lint *l)
{
	auto_value(buf) own = { 0 };
	auto_value(buf) of_issuer = { 0 };

	assert_true(ossl_der(i2d_X509_NAME, X509_get_issuer_name(l->certificate), &own));
	assert_true(ossl_der(i2d_X509_NAME, X509_get_subject_name(l->issuer), &of_issuer));
	return X509_NAME_entry_count(X509_get_issuer_name(l->certificate)) > 0 &&
	       bytes_equal(buf_bytes(&own), buf_bytes(&of_issuer));
}
static void spoil_issuer_name(X509 *c)
{
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "OU", MBSTRING_UTF8, (const unsigned char *)"x", -1, -1, 0);
}

static bool subject_name(const struct lint *l)
{
	X509_NAME *name = X509_get_subject_name(l->certificate);
	const char *want = l->facts->common_name;

	if (!want)
		return X509_NAME_entry_count(name) == 0;
	X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 0);
	const ASN1_STRING *value = entry ? X509_NAME_ENTRY_get_data(entry) : NULL;
	int type = value ? ASN1_STRING_type(value) : 0;
	return value && X509_NAME_entry_count(name) == 1 && OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_commonName &&
	       (type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING) && ASN1_STRING_length(value) <= 64 &&
	       bytes_equal(BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), BYTES_STR(want));
}
static void spoil_subject(X509 *c)
{
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "O", MBSTRING_UTF8, (const unsigned char *)"x", -1, -1, 0);
}

static bool extensions_once(const struct lint *l)
{
	static const int known[] = {
		NID_key_usage, NID_ext_key_usage, NID_basic_constraints, NID_subject_key_identifier, NID_subject_alt_name,
		NID_authority_key_identifier, NID_info_access, NID_crl_distribution_points,
	};
	int found = 0;

	for (size_t i = 0; i < array_length(known); i++) {
		int first = X509_get_ext_by_NID(l->certificate, known[i], -1);
		found += first >= 0;
		if (first >= 0 && X509_get_ext_by_NID(l->certificate, known[i], first) >= 0)
			return false;
	}
	return found == X509_get_ext_count(l->certificate);
}
static void spoil_extensions(X509 *c) { X509_add_ext(c, extension(c, NID_subject_alt_name), -1); }

static bool authority_key_id(const struct lint *l)
{
	auto(AUTHORITY_KEYID) *id = X509_get_ext_d2i(l->certificate, NID_authority_key_identifier, NULL, NULL);

	return id && critical(l->certificate, NID_authority_key_identifier) == 0 && id->keyid && !id->issuer && !id->serial &&
	       ASN1_OCTET_STRING_cmp(id->keyid, X509_get0_subject_key_id(l->issuer)) == 0;
}
static void spoil_authority_key_id(X509 *c)
{
	replace_extension(c, NID_authority_key_identifier, 0, BYTES("\x30\x06\x80\x04\x01\x02\x03\x04", 8));
}

/* RFC 7093, 2, method 1. */
static bool subject_key_id(const struct lint *l)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(l->certificate);
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(l->certificate);
	uint8_t digest[SHA256_SIZE];

	digest_sha256(BYTES(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits)), digest);
	return id && critical(l->certificate, NID_subject_key_identifier) == 0 &&
	       bytes_equal(BYTES(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)), BYTES(digest, 20));
}
static void spoil_subject_key_id(X509 *c) { flip_critical(c, NID_subject_key_identifier); }

static bool basic_constraints(const struct lint *l)
{
	return critical(l->certificate, NID_basic_constraints) == 1 && X509_check_ca(l->certificate) == 0 &&
	       bytes_equal(extension_value(l->certificate, NID_basic_constraints), BYTES("\x30\x00", 2));
}
static void spoil_basic_constraints(X509 *c)
{
	replace_extension(c, NID_basic_constraints, 1, BYTES("\x30\x03\x01\x01\xff", 5));
}

static bool key_usage(const struct lint *l)
{
	struct bytes value = extension_value(l->certificate, NID_key_usage);
	unsigned want = l->facts->key_usage;

	if (want == 0)
		return value.len == 0;
	/* X.690, 11.2.2: the last octet's lowest used bit is 1, and all unused bits are 0. */
	bool minimal = value.len >= 4 && (value.data[value.len - 1] & ((2u << value.data[2]) - 1)) == 1u << value.data[2];
	return critical(l->certificate, NID_key_usage) == 1 && minimal && X509_get_key_usage(l->certificate) == want &&
	       !(want & (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
}
static void spoil_key_usage(X509 *c) { replace_extension(c, NID_key_usage, 1, BYTES("\x03\x02\x00\x80", 4)); }

static bool extended_key_usage(const struct lint *l)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(l->certificate, NID_ext_key_usage, NULL, NULL);
	bool good = usages && critical(l->certificate, NID_ext_key_usage) == 0 &&
	            sk_ASN1_OBJECT_num(usages) == (int)l->facts->extended_key_usage->n;

	for (int i = 0; good && i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[80];
		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		good = str_equal(text, l->facts->extended_key_usage->v[i]);
	}
	EXTENDED_KEY_USAGE_free(usages);
	return good;
}
static void spoil_extended_key_usage(X509 *c) { flip_critical(c, NID_ext_key_usage); }

static bool alt_name_critical(const struct lint *l)
{
	bool empty = X509_NAME_entry_count(X509_get_subject_name(l->certificate)) == 0;

	return critical(l->certificate, NID_subject_alt_name) == (empty ? 1 : 0);
}
static void spoil_alt_name_critical(X509 *c) { flip_critical(c, NID_subject_alt_name); }

static bool label_good(const char *at, size_t len)
{
	return len >= 1 && len <= 63 && at[0] != '-' && at[len - 1] != '-' &&
	       strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len;
}

/* RFC 5280, 4.2.1.6: the preferred name syntax; "*" as the whole first label. */
static bool dns_name_good(const char *name)
{
	const char *at = str_starts(name, "*.") ? name + 2 : name;

	for (;;) {
		size_t len = strcspn(at, ".");
		if (!label_good(at, len))
			return false;
		if (at[len] == '\0')
			return strlen(name) <= 253;
		at += len + 1;
	}
}

static bool general_name_good(const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *text = (const char *)ASN1_STRING_get0_data(value);
	int len = ASN1_STRING_length(value);

	if (type == GEN_IPADD)
		return len == 4 || len == 16;
	if (ASN1_STRING_type(value) != V_ASN1_IA5STRING || (int)strlen(text) != len)
		return false;
	if (type == GEN_DNS)
		return dns_name_good(text);
	if (type == GEN_EMAIL)
		return strchr(text, '@') > text && strchr(text, '@') == strrchr(text, '@');
	return type == GEN_URI && strstr(text, "://") && strlen(strstr(text, "://")) > 3;
}

static bool alt_name_forms(const struct lint *l)
{
	auto(GENERAL_NAMES) *list = X509_get_ext_d2i(l->certificate, NID_subject_alt_name, NULL, NULL);
	bool good = list && sk_GENERAL_NAME_num(list) == (int)l->facts->names->n;

	for (int i = 0; good && i < sk_GENERAL_NAME_num(list); i++)
		good = general_name_good(sk_GENERAL_NAME_value(list, i));
	return good;
}
static void spoil_alt_name_forms(X509 *c)
{
	replace_extension(c, NID_subject_alt_name, 1, BYTES("\x30\x06\x82\x04_a.b", 8));
}

/* Each name as its own proof says it, in the order of the approval. */
static bool alt_names_exact(const struct lint *l)
{
	static const int types[IDENTIFIER_TYPE_MAX] = {
		[IDENTIFIER_DNS] = GEN_DNS, [IDENTIFIER_IP] = GEN_IPADD, [IDENTIFIER_EMAIL] = GEN_EMAIL, [IDENTIFIER_URI] = GEN_URI,
	};
	auto(GENERAL_NAMES) *list = X509_get_ext_d2i(l->certificate, NID_subject_alt_name, NULL, NULL);
	bool good = list && sk_GENERAL_NAME_num(list) == (int)l->facts->names->n;

	for (int i = 0; good && i < sk_GENERAL_NAME_num(list); i++) {
		const struct identifier *want = &l->facts->names->v[i];
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &type);
		struct bytes text = BYTES_STR(want->value);
		struct addr addr;
		if (want->type == IDENTIFIER_IP) {
			identifier_addr(want, &addr);
			text = BYTES(addr.byte, addr_length(&addr));
		}
		good = type == types[want->type] &&
		       bytes_equal(text, BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
	}
	return good;
}
static void spoil_alt_names_exact(X509 *c)
{
	replace_extension(c, NID_subject_alt_name, 1, BYTES("\x30\x0b\x82\x09x.example", 13));
}

static bool authority_info(const struct lint *l)
{
	AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(l->certificate, NID_info_access, NULL, NULL);
	ACCESS_DESCRIPTION *access = info && sk_ACCESS_DESCRIPTION_num(info) == 1 ? sk_ACCESS_DESCRIPTION_value(info, 0) : NULL;
	bool good = critical(l->certificate, NID_info_access) == 0 && access && OBJ_obj2nid(access->method) == NID_ad_ca_issuers &&
	            access->location->type == GEN_URI &&
	            str_equal((const char *)ASN1_STRING_get0_data(access->location->d.uniformResourceIdentifier),
	                      TEST_BASE "/ca/issuing.crt");

	AUTHORITY_INFO_ACCESS_free(info);
	return good;
}
static void spoil_authority_info(X509 *c) { flip_critical(c, NID_info_access); }

static bool crl_points(const struct lint *l)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(l->certificate, NID_crl_distribution_points, NULL, NULL);
	DIST_POINT *point = points && sk_DIST_POINT_num(points) == 1 ? sk_DIST_POINT_value(points, 0) : NULL;
	bool full = point && point->distpoint && point->distpoint->type == 0 && !point->reasons && !point->CRLissuer &&
	            sk_GENERAL_NAME_num(point->distpoint->name.fullname) == 1;
	const GENERAL_NAME *name = full ? sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0) : NULL;
	bool good = critical(l->certificate, NID_crl_distribution_points) == 0 && name && name->type == GEN_URI &&
	            str_equal((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
	                      TEST_BASE "/crl/issuing/0.crl");

	CRL_DIST_POINTS_free(points);
	return good;
}
static void spoil_crl_points(X509 *c) { remove_extension(c, NID_crl_distribution_points); }

/* X.690, 11.1 and 11.5: TRUE is all ones, and the default FALSE is not written. OpenSSL encodes
 * this field again as it found it. */
static bool critical_encoding(X509_EXTENSION *e)
{
	auto_value(buf) der = { 0 };
	struct bytes oid = BYTES(OBJ_get0_data(X509_EXTENSION_get_object(e)), OBJ_length(X509_EXTENSION_get_object(e)));

	assert_true(ossl_der(i2d_X509_EXTENSION, e, &der));
	const uint8_t *after = (uint8_t *)memmem(der.data, der.len, oid.data, oid.len) + oid.len;
	return after[0] == 0x04 || (after[0] == 0x01 && after[2] == 0xff);
}

/* X.690, 10 and 11: OpenSSL, asked to encode anew what it read, writes the same bytes. */
static bool distinguished_encoding(const struct lint *l)
{
	for (int i = 0; i < X509_get_ext_count(l->certificate); i++)
		if (!critical_encoding(X509_get_ext(l->certificate, i)))
			return false;

	auto(X509) *copy = X509_dup(l->certificate);
	unsigned char *tbs = NULL;
	int len = i2d_re_X509_tbs(copy, &tbs);

	bool same = len > 0 && memmem(l->der.data, l->der.len, tbs, (size_t)len) != NULL;
	OPENSSL_free(tbs);
	return same;
}

static X509 *spoil_encoding(const X509 *good)
{
	auto_value(buf) der = { 0 };

	assert_true(ossl_der(i2d_X509, good, &der));
	uint8_t *at = memmem(der.data, der.len, "\x06\x03\x55\x1d\x13\x01\x01\xff", 8);
	assert_non_null(at);
	at[7] = 0x01;
	return test_parse(buf_bytes(&der));
}

/* X509_V_FLAG_X509_STRICT has OpenSSL's own list of rules; the purpose adds those of a TLS server. */
static bool strict_chain(const struct lint *l)
{
	auto(X509_STORE) *store = X509_STORE_new();
	auto(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	auto(ossl_x509_stack) *above = sk_X509_new_null();

	assert_true(X509_up_ref(l->issuer) == 1 && sk_X509_push(above, l->issuer) == 1);
	assert_int_equal(X509_STORE_add_cert(store, l->root), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, l->certificate, above), 1);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_time(param, l->facts->not_before);
	return X509_verify_cert(ctx) == 1;
}
static void spoil_chain(X509 *c) { (void)c; }

static const struct rule {
	const char *text;
	bool (*holds)(const struct lint *l);
	void (*spoil)(X509 *certificate);
	X509 *(*spoil_bytes)(const X509 *good);
} rules[] = {
	{ "4.1.2.1: version 3", version_3, spoil_version, NULL },
	{ "4.1.2.2: a serial number that is positive, of 64 random bits or more and at most 20 octets", serial_number, spoil_serial, NULL },
	{ "4.1.2.3: one signature algorithm, with the parameters of its RFC", signature_algorithm, NULL, spoil_signature_algorithm },
	{ "4.1.2.4: the issuer's name as in its own certificate, byte for byte", issuer_name_equal, spoil_issuer_name, NULL },
	{ "4.1.2.5: UTCTime to 2049, then GeneralizedTime; Z, seconds, no fractions", time_forms, spoil_time, NULL },
	{ "4.1.2.5: the validity that was approved, within the issuer's", validity, spoil_validity, NULL },
	{ "4.1.2.6: a subject of one common name of 64 characters at most, or none", subject_name, spoil_subject, NULL },
	{ "4.1.2.7: the approved key, with the parameters of its RFC", key_algorithm, spoil_key, NULL },
	{ "4.1.2.8: no unique identifiers", no_unique_ids, NULL, spoil_unique_ids },
	{ "4.2: no extension twice, and none that is not ours", extensions_once, spoil_extensions, NULL },
	{ "4.2.1.1: authorityKeyIdentifier is the issuer's key identifier alone", authority_key_id, spoil_authority_key_id, NULL },
	{ "4.2.1.2: subjectKeyIdentifier, not critical, by RFC 7093", subject_key_id, spoil_subject_key_id, NULL },
	{ "4.2.1.3: keyUsage, critical, as approved, without zero bits at its end", key_usage, spoil_key_usage, NULL },
	{ "4.2.1.6: subjectAltName is critical exactly when the subject is empty", alt_name_critical, spoil_alt_name_critical, NULL },
	{ "4.2.1.6: each alternative name has the form of its type", alt_name_forms, spoil_alt_name_forms, NULL },
	{ "4.2.1.6: the approved names and no other", alt_names_exact, spoil_alt_names_exact, NULL },
	{ "4.2.1.9: basicConstraints, critical, not a CA", basic_constraints, spoil_basic_constraints, NULL },
	{ "4.2.1.12: extKeyUsage as approved, not critical", extended_key_usage, spoil_extended_key_usage, NULL },
	{ "4.2.1.13: one CRL distribution point with a URI, not critical", crl_points, spoil_crl_points, NULL },
	{ "4.2.2.1: authorityInfoAccess with caIssuers, not critical", authority_info, spoil_authority_info, NULL },
	{ "4.1: DER", distinguished_encoding, NULL, spoil_encoding },
	{ "6: OpenSSL, strict, finds the chain good", strict_chain, spoil_chain, NULL },
};

/* --- the certificates: each kind of issuer, each kind of key, each shape */

#define TEN_NAMES(x) "dns:" x "0.example", "dns:" x "1.example", "dns:" x "2.example", "dns:" x "3.example", \
	"dns:" x "4.example", "dns:" x "5.example", "dns:" x "6.example", "dns:" x "7.example", "dns:" x "8.example", \
	"dns:" x "9.example"
#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const struct shape {
	const char *name;
	const char *names[32];
	const char *common_name;
	int64_t not_before, not_after; /* 0: the usual */
	unsigned key_usage_dropped;
} shapes[] = {
	{ "plain", { "dns:www.example.com" }, NULL, 0, 0, 0 },
	{ "cn", { "dns:www.example.com", "dns:example.com", "ip:192.0.2.7", "ip:2001:db8::7" }, "www.example.com", 0, 0, 0 },
	{ "wildcard", { "dns:*.example.com" }, "*.example.com", 0, 2524607999, 0 },
	{ "longest", { "dns:" LABEL_63 "." LABEL_63 "." LABEL_63 ".example" }, NULL, 0, 2524608000, 0 },
	{ "cn64", { "dns:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbb.example" },
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbb.example", 2524607999, 2524608001, 0 },
	{ "mixed", { "dns:a.example", "email:user@example.com", "uri:https://device.example/7" }, NULL, 2524608000, 2600000000, 0 },
	{ "address", { "ip:10.0.0.1" }, "10.0.0.1", 0, 0, KU_KEY_ENCIPHERMENT },
	{ "many", { TEN_NAMES("a"), TEN_NAMES("b"), TEN_NAMES("c") }, NULL, 0, 0, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
};
static const struct maker {
	const char *name;
	enum keyfile_kind root, issuing;
	const char *hash;
} makers[] = {
	{ "p256", KEYFILE_EC_P256, KEYFILE_EC_P256, NULL },  { "p256-sha512", KEYFILE_EC_P256, KEYFILE_EC_P256, "SHA512" },
	{ "p384", KEYFILE_EC_P384, KEYFILE_EC_P384, NULL },  { "p384-sha256", KEYFILE_EC_P256, KEYFILE_EC_P384, "SHA256" },
	{ "rsa3072", KEYFILE_EC_P256, KEYFILE_RSA_3072, NULL }, { "rsa4096", KEYFILE_RSA_3072, KEYFILE_RSA_4096, "SHA384" },
};

struct bench {
	const struct maker *maker;
	struct ca *ca;
	X509 *issuer, *root;
};
static struct bench benches[array_length(makers)];
static struct strings usages;

static X509 *parse_pem(struct bytes pem)
{
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };

	assert_true(ossl_from_pem("CERTIFICATE", pem, &der, &p));
	return test_parse(buf_bytes(&der));
}

static int group_setup(void **state)
{
	if (folder_setup(state) != 0)
		return -1;
	test_keys_make();
	spoiler_key = EVP_EC_gen("P-256");
	for (size_t i = 0; i < array_length(makers); i++) {
		struct bench *b = &benches[i];
		test_create(in_folder(makers[i].name), makers[i].root, makers[i].issuing);
		b->maker = &makers[i];
		b->ca = test_open(in_folder(makers[i].name), TEST_BASE);
		b->issuer = test_parse(issuer_certificate(ca_issuer(b->ca, "")));
		b->root = parse_pem(ca_root_pem(b->ca));
	}
	return strings_add(&usages, "1.3.6.1.5.5.7.3.1") && strings_add(&usages, "1.3.6.1.5.5.7.3.2") ? 0 : -1;
}

static int group_teardown(void **state)
{
	for (size_t i = 0; i < array_length(benches); i++) {
		ca_free(benches[i].ca);
		X509_free(benches[i].issuer);
		X509_free(benches[i].root);
	}
	strings_free(&usages);
	EVP_PKEY_free(spoiler_key);
	test_keys_free();
	return folder_teardown(state);
}

typedef void lint_visit(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row);

static void issue_one(const struct bench *bench, enum key_algorithm algorithm, const struct shape *shape, lint_visit *visit)
{
	auto_value(identifiers) names = test_names(shape->names);
	struct approval_facts facts = test_facts(algorithm, &names, &usages);
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	auto_free char *name = mem_printf("%s-%s-%s", bench->maker->name, key_algorithm_name(algorithm), shape->name);

	facts.common_name = shape->common_name;
	facts.hash = bench->maker->hash;
	facts.key_usage &= ~shape->key_usage_dropped;
	facts.not_before = shape->not_before ? shape->not_before : facts.not_before;
	facts.not_after = shape->not_after ? shape->not_after : facts.not_after;
	bool issued = test_issue(bench->ca, &facts, &row, &p);
	if (!issued)
		print_error("%s: %s %s\n", name, p.detail, p.cause);
	assert_true(issued);
	auto(X509) *certificate = test_parse(row.der);
	const struct lint lint = { certificate, bench->issuer, bench->root, &facts, row.der };
	visit(bench, name, &lint, &row);
}

static void issue_all(lint_visit *visit)
{
	for (size_t m = 0; m < array_length(makers); m++)
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
			for (size_t s = 0; s < array_length(shapes); s++)
				issue_one(&benches[m], a, &shapes[s], visit);
}

static unsigned visited, wrong;

static void hold_rules(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)row;
	visited++;
	for (size_t i = 0; i < array_length(rules); i++)
		if (!rules[i].holds(lint)) {
			print_error("%s breaks RFC 5280, %s\n", name, rules[i].text);
			wrong++;
		}
}

static void every_rule_holds_for_every_kind_of_certificate(void **state)
{
	(void)state;
	issue_all(hold_rules);
	assert_int_equal(visited, array_length(makers) * KEY_ALGORITHM_MAX * array_length(shapes));
	assert_int_equal(wrong, 0);
}

static void break_rules(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)row;
	for (size_t i = 0; i < array_length(rules); i++) {
		auto_value(buf) der = { 0 };
		auto(X509) *spoiled = rules[i].spoil_bytes ? rules[i].spoil_bytes(lint->certificate) : X509_dup(lint->certificate);
		if (rules[i].spoil) {
			rules[i].spoil(spoiled);
			spoiled = spoil_finish(spoiled);
		}
		assert_true(ossl_der(i2d_X509, spoiled, &der));
		const struct lint broken = { spoiled, lint->issuer, lint->root, lint->facts, buf_bytes(&der) };
		if (rules[i].holds(&broken)) {
			print_error("%s: a certificate that breaks RFC 5280, %s is not found\n", name, rules[i].text);
			wrong++;
		}
	}
}

static void every_rule_finds_what_breaks_it(void **state)
{
	(void)state;
	wrong = 0;
	issue_one(&benches[0], KEY_EC_P256, &shapes[1], break_rules);
	issue_one(&benches[4], KEY_RSA_2048, &shapes[0], break_rules);
	assert_int_equal(wrong, 0);
}

/* GnuTLS as a second reader of chains. */
static void judge_with_certtool(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	auto_value(buf) chain = { 0 };
	auto_free char *command = NULL;
	struct bytes above = issuer_chain_pem(ca_issuer(bench->ca, ""), 0);

	(void)lint;
	ossl_pem("CERTIFICATE", row->der, &chain);
	buf_add(&chain, above.data, above.len);
	put_file("chain.pem", buf_bytes(&chain), 0600);
	command = mem_printf("certtool --verify --verify-purpose=1.3.6.1.5.5.7.3.1 --load-ca-certificate=%s/%s/root.pem --infile=%s "
	                     ">%s 2>&1", folder, bench->maker->name, in_folder("chain.pem"), in_folder("out"));
	visited++;
	assert_non_null(command);
	if (system(command) != 0) {
		auto_value(buf) out = { 0 };
		get_file("out", &out);
		print_error("%s: %s\n", name, buf_text(&out));
		wrong++;
	}
}

static void gnutls_finds_the_chains_good(void **state)
{
	(void)state;
	assert_int_equal(system("command -v certtool >/dev/null || { echo 'install gnutls-bin'; exit 1; }"), 0);
	visited = wrong = 0;
	for (size_t m = 0; m < array_length(makers); m++)
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
			issue_one(&benches[m], a, &shapes[a % 3], judge_with_certtool);
	assert_int_equal(visited, array_length(makers) * KEY_ALGORITHM_MAX);
	assert_int_equal(wrong, 0);
}

static void write_pem(const char *where, const char *name, struct bytes der)
{
	auto_free char *path = mem_printf("%s/%s.pem", where, name);
	auto_value(buf) pem = { 0 };
	auto_value(problem) p = { 0 };

	ossl_pem("CERTIFICATE", der, &pem);
	assert_true(file_write(path, buf_bytes(&pem), 0644, &p));
}

static void export_one(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)lint;
	write_pem(getenv("ENROLLD_LINT_FOLDER"), name, row->der);
}

static void write_ca(const struct bench *bench, X509 *certificate, const char *kind)
{
	auto_free char *name = mem_printf("ca-%s-%s", bench->maker->name, kind);
	auto_value(buf) der = { 0 };

	assert_true(ossl_der(i2d_X509, certificate, &der));
	write_pem(getenv("ENROLLD_LINT_FOLDER"), name, buf_bytes(&der));
}

static int export(void)
{
	void *state = NULL;

	assert_int_equal(group_setup(&state), 0);
	issue_all(export_one);
	for (size_t i = 0; i < array_length(benches); i++) {
		write_ca(&benches[i], benches[i].root, "root");
		write_ca(&benches[i], benches[i].issuer, "issuing");
	}
	return group_teardown(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_holds_for_every_kind_of_certificate),
		cmocka_unit_test(every_rule_finds_what_breaks_it),
		cmocka_unit_test(gnutls_finds_the_chains_good),
	};

	if (getenv("ENROLLD_LINT_FOLDER"))
		return export();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
