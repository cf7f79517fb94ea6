/* Attestations made for tests: certificates of a made-up maker of devices, and CBOR. */
#pragma once

#include <stdio.h>

#include "acme/attestation_statement.h"
#include "base/clock.h"
#include "base/digest.h"

#include <openssl/rsa.h>

#define maker static __attribute__((unused))

enum { NOW = 1700000000 };
#define DAY 86400L
#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define KEY_AUTHORIZATION TOKEN ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

/* --- CBOR */

maker void put_head(struct buf *b, unsigned major, uint64_t n)
{
	buf_add_char(b, (char)(major << 5 | (n < 24 ? n : n < 256 ? 24 : 25)));
	if (n >= 256)
		buf_add_char(b, (char)(n >> 8));
	if (n >= 24)
		buf_add_char(b, (char)n);
}

maker void put_integer(struct buf *b, int64_t n) { put_head(b, n < 0, (uint64_t)(n < 0 ? -1 - n : n)); }

maker void put_bytes(struct buf *b, struct bytes s)
{
	put_head(b, 2, s.len);
	buf_add(b, s.data, s.len);
}

maker void put_text(struct buf *b, const char *s)
{
	put_head(b, 3, strlen(s));
	buf_add_str(b, s);
}

/* --- DER */

maker void put_der(struct buf *b, uint8_t tag, struct bytes value)
{
	buf_add_char(b, (char)tag);
	if (value.len >= 256) {
		buf_add_char(b, (char)0x82);
		buf_add_char(b, (char)(value.len >> 8));
	} else if (value.len >= 128) {
		buf_add_char(b, (char)0x81);
	}
	buf_add_char(b, (char)value.len);
	buf_add(b, value.data, value.len);
}

maker void put_hex(struct buf *b, const char *hex)
{
	unsigned byte;

	for (; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			abort();
		buf_add_char(b, (char)byte);
	}
}

/* --- keys */

enum role { ROLE_LEAF, ROLE_ATTESTED, ROLE_OTHER, ROLE_MAX };

/* "P-256", "P-384", "P-521", "RSA", "ED25519" or "ED448"; NULL: the first. One for each role and kind, made when it is first
 * asked for, and the process's. */
maker EVP_PKEY *made_key(const char *kind, enum role role)
{
	static const char *const kinds[] = { "P-256", "P-384", "P-521", "RSA", "ED25519", "ED448" };
	static EVP_PKEY *made[array_length(kinds)][ROLE_MAX];
	size_t i = 0;

	while (!str_equal(kinds[i], kind ? kind : "P-256"))
		if (++i == array_length(kinds))
			abort();
	if (!made[i][role])
		made[i][role] = str_equal(kinds[i], "RSA") ? EVP_RSA_gen(2048)
		              : kinds[i][0] == 'E' ? EVP_PKEY_Q_keygen(NULL, NULL, kinds[i]) : EVP_EC_gen(kinds[i]);
	return made[i][role];
}

/* --- certificates */

struct extension {
	const char *oid;
	bool critical;
	struct bytes value;
};
struct plan {
	const char *name;           /* common name; NULL: an empty subject */
	EVP_PKEY *key;
	X509 *issuer;               /* NULL: itself */
	EVP_PKEY *issuer_key;
	const char *constraints;    /* basicConstraints; NULL: none */
	const char *usage;          /* keyUsage */
	long from, until;           /* seconds from NOW; both 0: a day before and after */
	const EVP_MD *hash;         /* NULL: SHA-256 */
	int version;                /* 0: 3 */
	struct extension extensions[8];
};

maker void add_known(X509 *certificate, int nid, const char *text)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, text);

	if (!e || X509_add_ext(certificate, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
}

maker void add_extension(X509 *certificate, const struct extension *extension)
{
	auto(ASN1_OBJECT) *oid = OBJ_txt2obj(extension->oid, 1);
	auto(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(value, extension->value.data, (int)extension->value.len);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, extension->critical, value);
	if (!e || X509_add_ext(certificate, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
}

maker X509 *make_certificate(const struct plan *plan)
{
	X509 *certificate = X509_new();
	bool dated = plan->from || plan->until;
	static long serial = 1000;

	X509_set_version(certificate, plan->version ? plan->version - 1 : 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	ASN1_TIME_set(X509_getm_notBefore(certificate), NOW + (dated ? plan->from : -DAY));
	ASN1_TIME_set(X509_getm_notAfter(certificate), NOW + (dated ? plan->until : DAY));
	if (plan->name)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		                           (const uint8_t *)plan->name, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(plan->issuer ? plan->issuer : certificate));
	X509_set_pubkey(certificate, plan->key);
	if (plan->constraints)
		add_known(certificate, NID_basic_constraints, plan->constraints);
	if (plan->usage)
		add_known(certificate, NID_key_usage, plan->usage);
	for (size_t i = 0; i < array_length(plan->extensions) && plan->extensions[i].oid; i++)
		add_extension(certificate, &plan->extensions[i]);
	bool own_hash = EVP_PKEY_is_a(plan->issuer_key, "ED25519") == 1;
	if (X509_sign(certificate, plan->issuer_key, own_hash ? NULL : plan->hash ? plan->hash : EVP_sha256()) <= 0)
		abort();
	return certificate;
}

/* A maker of devices: root and CA, and what a server trusts. */
struct maker_of_devices {
	EVP_PKEY *root_key, *ca_key;
	X509 *root, *ca;
	struct trust *trust;
};

maker struct trust *trust_one(X509 *certificate)
{
	auto_value(buf) der = {0}, pem = {0};
	struct problem p = {0};
	struct trust *trust = NULL;

	if (!ossl_der(i2d_X509, certificate, &der))
		abort();
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	if (!trust_from_pem("test", buf_bytes(&pem), &trust, &p))
		abort();
	return trust;
}

maker struct maker_of_devices make_maker(const char *name)
{
	struct maker_of_devices m = { EVP_EC_gen("P-256"), EVP_EC_gen("P-256"), NULL, NULL, NULL };
	auto_free char *ca_name = mem_printf("%s CA", name);

	m.root = make_certificate(&(struct plan){ .name = name, .key = m.root_key, .issuer_key = m.root_key,
	                                          .constraints = "critical,CA:TRUE", .from = -1000 * DAY, .until = 1000 * DAY });
	m.ca = make_certificate(&(struct plan){ .name = ca_name, .key = m.ca_key, .issuer = m.root, .issuer_key = m.root_key,
	                                        .constraints = "critical,CA:TRUE", .from = -100 * DAY, .until = 100 * DAY });
	m.trust = trust_one(m.root);
	return m;
}

maker void free_maker(struct maker_of_devices *m)
{
	EVP_PKEY_free(m->root_key);
	EVP_PKEY_free(m->ca_key);
	X509_free(m->root);
	X509_free(m->ca);
	trust_free(m->trust);
}

/* --- objects */

maker void put_certificate(struct buf *b, X509 *certificate)
{
	auto_value(buf) der = {0};

	if (!ossl_der(i2d_X509, certificate, &der))
		abort();
	put_bytes(b, buf_bytes(&der));
}

maker void put_x5c(struct buf *b, X509 *leaf, X509 *ca)
{
	put_text(b, "x5c");
	put_head(b, 4, ca ? 2 : 1);
	put_certificate(b, leaf);
	if (ca)
		put_certificate(b, ca);
}

/* { fmt, attStmt }: the statement's pairs follow, of the caller. */
maker void put_object(struct buf *b, const char *format, size_t pairs)
{
	put_head(b, 5, 2);
	put_text(b, "fmt");
	put_text(b, format);
	put_text(b, "attStmt");
	put_head(b, 5, pairs);
}

maker void sign(EVP_PKEY *key, const EVP_MD *hash, bool pss, struct bytes data, struct buf *ret)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;
	size_t len = 0;

	if (EVP_DigestSignInit(ctx, &how, hash, NULL, key) != 1)
		abort();
	if (pss && (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) != 1 ||
	            EVP_PKEY_CTX_set_rsa_pss_saltlen(how, -1) != 1))
		abort();
	if (EVP_DigestSign(ctx, NULL, &len, data.data, data.len) != 1)
		abort();
	uint8_t *room = buf_extend(ret, len);
	size_t before = ret->len - len;
	if (!room || EVP_DigestSign(ctx, room, &len, data.data, data.len) != 1)
		abort();
	buf_shorten(ret, before + len);
}
