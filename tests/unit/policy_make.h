/* Makes keys, CSRs and names for the tests of policy/: CSRs are put together byte by byte, so that
 * a test can ask for what no library would write. Failures are assertions: tests only. */
#pragma once

#include <assert.h>
#include <stdio.h>

#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/ossl.h"
#include "policy/identifier.h"

#define make_unused __attribute__((unused))

static make_unused EVP_PKEY *make_weak_key(void)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	auto(BIGNUM) *e = BN_new();
	EVP_PKEY *key = NULL;

	bool made = BN_set_word(e, 3) && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
	            EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 && EVP_PKEY_generate(ctx, &key) == 1;
	assert(made);
	return key;
}

/* "P-256", "rsa-2048", "ed25519": one key of a kind, which lives to the end of the process. What stands
 * after a space makes another one of the kind. */
static make_unused EVP_PKEY *make_key(const char *kind)
{
	static struct {
		const char *kind;
		EVP_PKEY *key;
	} made[16];
	size_t i = 0;

	for (; i < array_length(made) && made[i].kind; i++)
		if (str_equal(made[i].kind, kind))
			return made[i].key;
	assert(i < array_length(made));
	made[i].kind = kind;
	if (str_equal(kind, "rsa-2048 e=3"))
		made[i].key = make_weak_key();
	else if (str_starts(kind, "rsa-"))
		made[i].key = EVP_RSA_gen((unsigned)atoi(kind + 4));
	else
		made[i].key = str_equal(kind, "ed25519") ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
		                                         : EVP_EC_gen(strchr(kind, ' ') ? "P-256" : kind);
	assert(made[i].key);
	return made[i].key;
}

static make_unused void make_hex(struct buf *ret, const char *hex)
{
	bool decoded = hex_decode(hex, strlen(hex), ret);
	assert(decoded);
}

/* One element with the shortest length. */
static make_unused void make_tlv(struct buf *ret, uint8_t tag, struct bytes content)
{
	buf_add_char(ret, (char)tag);
	if (content.len >= 0x10000) {
		buf_add_char(ret, (char)0x83);
		buf_add_char(ret, (char)(content.len >> 16));
		buf_add_char(ret, (char)(content.len >> 8));
	} else if (content.len >= 0x100) {
		buf_add_char(ret, (char)0x82);
		buf_add_char(ret, (char)(content.len >> 8));
	} else if (content.len >= 0x80) {
		buf_add_char(ret, (char)0x81);
	}
	buf_add_char(ret, (char)content.len);
	buf_add(ret, content.data, content.len);
}

static make_unused void make_oid(struct buf *ret, const char *name)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(name, 0);
	bool written = object && ossl_der(i2d_ASN1_OBJECT, object, ret);
	assert(written);
}

struct make_csr {
	const char *key;                  /* for make_key; NULL: "P-256" */
	const char *signer;               /* signs in its place */
	const char *subject[4][2];        /* short name or OID, value; UTF8String */
	const char *extensions[8][2];     /* as in OpenSSL's configuration; value "DER:..." raw */
	const char *raw_subject;          /* hex: RDNs put after those of subject */
	const char *raw_extensions;       /* hex: Extension elements put after those of extensions */
	const char *raw_attributes;       /* hex: attributes put after the extensionRequest */
	const char *raw_names;            /* hex: GeneralName elements, makes a subjectAltName */
	const char *extension_request;    /* its OID; NULL: RFC 2985's */
	const char *version;              /* hex; NULL: "020100" */
	const char *algorithm;            /* hex of the AlgorithmIdentifier's content; NULL: fits the key */
	const char *digest;               /* NULL: "SHA256" */
	const char *raw_spki;             /* hex of the whole element, in place of the key's */
	bool no_attributes;               /* not even the empty ones */
};

static make_unused void make_subject(const struct make_csr *m, struct buf *ret)
{
	auto_value(buf) name = {0};

	for (size_t i = 0; i < array_length(m->subject) && m->subject[i][0]; i++) {
		auto_value(buf) pair = {0}, rdn = {0};
		make_oid(&pair, m->subject[i][0]);
		make_tlv(&pair, 0x0c, BYTES_STR(m->subject[i][1]));
		make_tlv(&rdn, 0x30, buf_bytes(&pair));
		make_tlv(&name, 0x31, buf_bytes(&rdn));
	}
	make_hex(&name, m->raw_subject ?: "");
	make_tlv(ret, 0x30, buf_bytes(&name));
}

static make_unused void make_extension(const char *name, const char *value, struct buf *ret)
{
	X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, name, value);
	bool written = extension && ossl_der(i2d_X509_EXTENSION, extension, ret);

	assert(written);
	X509_EXTENSION_free(extension);
}

static make_unused void make_raw_names(const char *hex, struct buf *ret)
{
	auto_value(buf) names = {0}, sequence = {0}, extension = {0};

	make_hex(&names, hex);
	make_tlv(&sequence, 0x30, buf_bytes(&names));
	make_oid(&extension, "2.5.29.17");
	make_tlv(&extension, 0x04, buf_bytes(&sequence));
	make_tlv(ret, 0x30, buf_bytes(&extension));
}

static make_unused void make_attributes(const struct make_csr *m, struct buf *ret)
{
	auto_value(buf) list = {0}, extensions = {0}, set = {0}, attribute = {0}, attributes = {0};

	for (size_t i = 0; i < array_length(m->extensions) && m->extensions[i][0]; i++)
		make_extension(m->extensions[i][0], m->extensions[i][1], &list);
	if (m->raw_names)
		make_raw_names(m->raw_names, &list);
	make_hex(&list, m->raw_extensions ?: "");
	if (list.len > 0) {
		make_tlv(&extensions, 0x30, buf_bytes(&list));
		make_tlv(&set, 0x31, buf_bytes(&extensions));
		make_oid(&attribute, m->extension_request ?: "1.2.840.113549.1.9.14");
		buf_add(&attribute, set.data, set.len);
		make_tlv(&attributes, 0x30, buf_bytes(&attribute));
	}
	make_hex(&attributes, m->raw_attributes ?: "");
	if (!m->no_attributes)
		make_tlv(ret, 0xa0, buf_bytes(&attributes));
}

static make_unused void make_sign(const struct make_csr *m, EVP_PKEY *key, struct bytes tbs, struct buf *ret)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	bool edwards = EVP_PKEY_is_a(key, "ED25519");
	uint8_t signature[1024] = {0}; /* the first byte: no unused bits */
	size_t len = sizeof(signature) - 1;
	bool made = ctx && EVP_DigestSignInit_ex(ctx, NULL, edwards ? NULL : m->digest ?: "SHA256", NULL, NULL, key, NULL) == 1 &&
	            EVP_DigestSign(ctx, signature + 1, &len, tbs.data, tbs.len) == 1;

	assert(made);
	make_tlv(ret, 0x03, BYTES(signature, len + 1));
}

static make_unused const char *make_algorithm(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return "06032b6570";
	return EVP_PKEY_is_a(key, "RSA") ? "06092a864886f70d01010b0500" : "06082a8648ce3d040302";
}

static make_unused void make_csr(const struct make_csr *m, struct buf *ret)
{
	auto_value(buf) info = {0}, request = {0}, algorithm = {0};
	EVP_PKEY *key = make_key(m->key ?: "P-256"), *signer = m->signer ? make_key(m->signer) : key;
	struct problem p = {0};

	make_hex(&info, m->version ?: "020100");
	make_subject(m, &info);
	if (m->raw_spki)
		make_hex(&info, m->raw_spki);
	bool written = m->raw_spki || ossl_public_der(key, &info, &p);
	assert(written);
	make_attributes(m, &info);
	make_tlv(&request, 0x30, buf_bytes(&info));
	auto_value(buf) tbs = {0};
	buf_add(&tbs, request.data, request.len);
	make_hex(&algorithm, m->algorithm ?: make_algorithm(signer));
	make_tlv(&request, 0x30, buf_bytes(&algorithm));
	make_sign(m, signer, buf_bytes(&tbs), &request);
	make_tlv(ret, 0x30, buf_bytes(&request));
}

/* "dns:www.example.com" */
static make_unused struct identifier make_identifier(const char *text)
{
	struct identifier i;
	struct problem p = {0};
	char type[16] = "";
	const char *colon = strchr(text, ':');

	memcpy(type, text, (size_t)(colon - text));
	bool parsed = identifier_parse(type, colon + 1, &i, &p);
	assert(parsed);
	return i;
}
