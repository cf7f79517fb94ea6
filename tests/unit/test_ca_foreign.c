#include "ca/foreign.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/digest.h"
#include "policy_make.h"

enum { NOW = 1700000000 };

/* What a certificate of the test is made of. */
struct foreign {
	const char *cn, *san;     /* san: as in openssl.cnf; NULL: none */
	const char *raw_san;      /* or the extension's value in hexadecimal */
	const char *serial;       /* decimal */
	const char *from, *to;    /* ASN.1 text; NULL: good ones */
};

static void add_extension(X509 *x, const struct foreign *f)
{
	X509_EXTENSION *extension = NULL;

	if (f->raw_san) {
		auto_value(buf) der = {0};
		auto(ASN1_OCTET_STRING) *octets = ASN1_OCTET_STRING_new();
		make_hex(&der, f->raw_san);
		assert_true(ASN1_OCTET_STRING_set(octets, der.data, (int)der.len));
		extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, octets);
	} else {
		extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, f->san);
	}
	assert_true(extension && X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static void make(const struct foreign *f, struct buf *ret)
{
	auto(X509) *x = X509_new();
	auto(BIGNUM) *serial = NULL;
	EVP_PKEY *key = make_key("P-256");
	X509_NAME *name = X509_get_subject_name(x);

	assert_true(BN_dec2bn(&serial, f->serial ?: "258") > 0);
	assert_true(X509_set_version(x, X509_VERSION_3) && X509_set_pubkey(x, key) && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)));
	assert_true(ASN1_TIME_set_string(X509_getm_notBefore(x), f->from ?: "20230101000000Z") &&
	            ASN1_TIME_set_string(X509_getm_notAfter(x), f->to ?: "20330101000000Z"));
	if (f->cn)
		assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)f->cn, -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "O", MBSTRING_UTF8, (const uint8_t *)"Other, Inc.", -1, -1, 0));
	if (f->san || f->raw_san)
		add_extension(x, f);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0 && ossl_der(i2d_X509, x, ret));
}

static void want_name(const struct certificate *row, size_t i, const char *type, const char *value)
{
	const struct certificate_name *names = row->names.v;

	assert_true(i < row->names.n);
	assert_string_equal(names[i].type, type);
	assert_string_equal(names[i].value, value);
}

static void row_is_what_the_certificate_says(void **state)
{
	static const struct foreign f = {
		.cn = "Ada Lovelace",
		.san = "DNS:WWW.Example.com,IP:10.0.0.1,IP:2001:db8:0::1,email:ada@example.com,URI:spiffe://a/b,DNS:under_score.example,RID:1.2.3",
	};
	auto_value(buf) der = {0}, hex = {0};
	auto_value(certificate) row = {0};
	auto_value(problem) p = {0};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	make(&f, &der);
	if (!foreign_row(buf_bytes(&der), "server", "token x", NOW, &row, &p))
		fail_msg("%s", p.detail);
	assert_true(certificate_is_imported(&row));
	assert_true(random_id_valid(row.id));
	assert_true(bytes_equal(row.der, buf_bytes(&der)));
	digest_sha256(row.der, hash);
	assert_memory_equal(row.fingerprint.data, hash, sizeof(hash));
	buf_add_hex(&hex, row.serial);
	assert_string_equal(buf_text(&hex), "0102");
	assert_string_equal(row.subject, "CN=Ada Lovelace");
	assert_string_equal(row.issuer_subject, "O=Other\\, Inc.");
	assert_string_equal(row.profile, "server");
	assert_string_equal(row.identity, "token x");
	assert_int_equal(row.not_before, 1672531200);
	assert_int_equal(row.not_after, 1988150400);
	assert_int_equal(row.issued, NOW);
	assert_int_equal(row.names.n, 7);
	want_name(&row, 0, "dns", "www.example.com");
	want_name(&row, 1, "ip", "10.0.0.1");
	want_name(&row, 2, "ip", "2001:db8::1");
	want_name(&row, 3, "email", "ada@example.com");
	want_name(&row, 4, "uri", "spiffe://a/b");
	want_name(&row, 5, "dns", "under_score.example"); /* not one that we would certify, and known all the same */
	want_name(&row, 6, "cn", "Ada Lovelace");
}

static void refused(struct bytes der, const char *want)
{
	auto_value(problem) p = {0};
	struct certificate row;

	if (foreign_row(der, "", "x", NOW, &row, &p))
		fail_msg("taken: %s", want);
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	if (!strstr(p.detail, want))
		fail_msg("%s", p.detail);
}

static void odd_certificates(void **state)
{
	static const struct {
		struct foreign f;
		const char *want; /* NULL: taken */
	} rows[] = {
		{ { .cn = "x" }, NULL },
		{ { .serial = "0" }, NULL },
		{ { .serial = "-5" }, NULL },
		{ { .serial = "1461501637330902918203684832716283019655932542975" }, NULL }, /* 20 bytes of ff */
		{ { .serial = "1461501637330902918203684832716283019655932542976" }, "serial number" }, /* 21 bytes */
		{ { .serial = "374144419156711147060143317175368453031918731001856" }, "serial number" }, /* 22 bytes */
		{ { .cn = "a\nb" }, "control character" },
		{ { .raw_san = "3003820161" }, NULL },
		{ { .raw_san = "300582036100" "62" }, "no text" },    /* a NUL in a DNS name */
		{ { .raw_san = "30058703010203" }, "wrong length" }, /* an address of three bytes */
		{ { .raw_san = "3000" }, NULL },
		{ { .raw_san = "ff" }, NULL },                        /* no SAN that can be read: known without names */
		{ { .from = "19600101000000Z" }, "before 1970" },
		{ { .to = "99991231235959Z" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		auto_value(problem) p = {0};
		auto_value(certificate) row = {0};
		make(&rows[i].f, &der);
		if (rows[i].want)
			refused(buf_bytes(&der), rows[i].want);
		else if (!foreign_row(buf_bytes(&der), "", "x", NOW, &row, &p))
			fail_msg("row %zu: %s", i, p.detail);
	}
}

static void what_is_no_certificate(void **state)
{
	static const struct foreign f = { .cn = "x" };
	auto_value(buf) der = {0};

	(void)state;
	make(&f, &der);
	refused(BYTES(NULL, 0), "cannot be read");
	refused(BYTES("x", 1), "cannot be read");
	refused(BYTES(der.data, der.len - 1), "cannot be read");
	buf_add_char(&der, 0);
	refused(buf_bytes(&der), "cannot be read");
}

/* Of 64 KiB at most: each is kept for good. The names of the large ones cannot be read, which is no fault. */
static void a_certificate_has_so_many_bytes(void **state)
{
	static const struct {
		size_t extension;
		bool want;
	} rows[] = { { 65000, true }, { 65536, false } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		auto_value(certificate) row = {0};
		auto_value(problem) p = {0};
		auto_free char *hex = calloc(1, 2 * rows[i].extension + 1);
		memset(hex, 'f', 2 * rows[i].extension);
		make(&(struct foreign){ .raw_san = hex }, &der);
		assert_int_equal(der.len <= 65536, rows[i].want);
		if (rows[i].want)
			assert_true(foreign_row(buf_bytes(&der), "", "x", NOW, &row, &p));
		else
			refused(buf_bytes(&der), "cannot be read");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_is_what_the_certificate_says),
		cmocka_unit_test(odd_certificates),
		cmocka_unit_test(what_is_no_certificate),
		cmocka_unit_test(a_certificate_has_so_many_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
