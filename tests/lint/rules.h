/* The rules of RFC 5280 for what this CA issues, by its sections. Each row holds a rule against a
 * certificate, and has a way to break it, so that a rule that finds nothing is found itself.
 * Included by tests/unit/test_ca_lint.c alone. */
#pragma once

#include <time.h>

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

/* Spoiling: a copy of a good certificate with one thing wrong, signed by a key of its own */

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

/* RFC 5280, 4.1.2.4 and A.1: the string type and the upper bound of each attribute. */
static const struct attribute_form {
	enum subject_type type;
	int nid, string, max;
} attribute_forms[] = {
	{ SUBJECT_CN, NID_commonName, V_ASN1_UTF8STRING, 64 },
	{ SUBJECT_O, NID_organizationName, V_ASN1_UTF8STRING, 64 },
	{ SUBJECT_OU, NID_organizationalUnitName, V_ASN1_UTF8STRING, 64 },
	{ SUBJECT_C, NID_countryName, V_ASN1_PRINTABLESTRING, 2 },
	{ SUBJECT_ST, NID_stateOrProvinceName, V_ASN1_UTF8STRING, 128 },
	{ SUBJECT_L, NID_localityName, V_ASN1_UTF8STRING, 128 },
	{ SUBJECT_DC, NID_domainComponent, V_ASN1_IA5STRING, 63 },
	{ SUBJECT_EMAIL, NID_pkcs9_emailAddress, V_ASN1_IA5STRING, 255 },
	{ SUBJECT_SERIAL_NUMBER, NID_serialNumber, V_ASN1_PRINTABLESTRING, 64 },
};

static bool attribute_is(X509_NAME_ENTRY *entry, enum subject_type type, const char *want)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	const struct attribute_form *form = attribute_forms;

	while (form->type != type)
		form++;
	auto_value(buf) utf8 = { 0 };
	buf_add_str(&utf8, want);
	return OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == form->nid && ASN1_STRING_type(value) == form->string &&
	       ASN1_STRING_length(value) <= 4 * form->max &&
	       bytes_equal(BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), buf_bytes(&utf8));
}

/* One attribute an RDN, as approved and in that order. */
static bool subject_name(const struct lint *l)
{
	X509_NAME *name = X509_get_subject_name(l->certificate);
	const struct subject *subject = l->facts->subject;
	const char *common_name = l->facts->common_name;

	if (!subject)
		return X509_NAME_entry_count(name) == (common_name ? 1 : 0) &&
		       (!common_name || attribute_is(X509_NAME_get_entry(name, 0), SUBJECT_CN, common_name));
	for (int i = 0; i < (int)subject->n; i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		if (!entry || X509_NAME_ENTRY_set(entry) != i || !attribute_is(entry, subject->v[i].type, subject->v[i].value))
			return false;
	}
	return X509_NAME_entry_count(name) == (int)subject->n;
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
	const char *text = type == GEN_OTHERNAME ? NULL : (const char *)ASN1_STRING_get0_data(value);
	int len = type == GEN_OTHERNAME ? 0 : ASN1_STRING_length(value);

	if (type == GEN_OTHERNAME)
		return true; /* alt_names_exact compares it */
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
	bool good = list && sk_GENERAL_NAME_num(list) == (int)(l->facts->names->n + l->facts->other_count);

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
	bool good = list && sk_GENERAL_NAME_num(list) == (int)(l->facts->names->n + l->facts->other_count);

	for (int i = 0; good && i < (int)l->facts->other_count; i++) {
		auto_value(buf) der = { 0 };
		assert_true(ossl_der(i2d_GENERAL_NAME, sk_GENERAL_NAME_value(list, (int)l->facts->names->n + i), &der));
		good = bytes_equal(buf_bytes(&der), buf_bytes(&l->facts->others[i].der));
	}
	for (int i = 0; good && i < (int)l->facts->names->n; i++) {
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

static bool access_is(const ACCESS_DESCRIPTION *access, int method, const char *url)
{
	return OBJ_obj2nid(access->method) == method && access->location->type == GEN_URI &&
	       str_equal((const char *)ASN1_STRING_get0_data(access->location->d.uniformResourceIdentifier), url);
}

static bool authority_info(const struct lint *l)
{
	AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(l->certificate, NID_info_access, NULL, NULL);
	bool good = critical(l->certificate, NID_info_access) == 0 && info && sk_ACCESS_DESCRIPTION_num(info) == 2 &&
	            access_is(sk_ACCESS_DESCRIPTION_value(info, 0), NID_ad_OCSP, TEST_BASE "/ocsp/issuing") &&
	            access_is(sk_ACCESS_DESCRIPTION_value(info, 1), NID_ad_ca_issuers, TEST_BASE "/ca/issuing.crt");

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
	{ "4.1.2.6: the approved subject, each attribute of its string type and size, one an RDN", subject_name, spoil_subject, NULL },
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
	{ "4.2.2.1: authorityInfoAccess with OCSP and caIssuers, not critical", authority_info, spoil_authority_info, NULL },
	{ "4.1: DER", distinguished_encoding, NULL, spoil_encoding },
	{ "6: OpenSSL, strict, finds the chain good", strict_chain, spoil_chain, NULL },
};
