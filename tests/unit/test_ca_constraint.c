/* Name constraints (RFC 5280, 4.2.1.10): from text, back to it, and what is no such text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "ca/constraint.h"

#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." /* 50 characters */
#define HOST_253 FIFTY FIFTY FIFTY FIFTY FIFTY "aaa"

static struct strings list(const char *text)
{
	struct strings ret = { 0 };

	assert_true(strings_add(&ret, text));
	return ret;
}

static void texts_come_back(void **state)
{
	static const char *const rows[] = {
		"dns:example.com", "dns:com", "email:example.com", "email:.example.com", "email:a@example.com", "ip:10.0.0.0/8",
		"ip:192.0.2.7/32", "ip:0.0.0.0/0", "ip:2001:db8::/32", "dns:" HOST_253,
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		for (int excluded = 0; excluded < 2; excluded++) {
			auto_value(strings) in = list(rows[i]), out = { 0 }, other = { 0 };
			auto(NAME_CONSTRAINTS) *names = NULL;
			auto_value(problem) p = { 0 };
			assert_true(constraint_make(excluded ? NULL : &in, excluded ? &in : NULL, &names, &p));
			assert_true(constraint_texts(names, excluded, &out) && constraint_texts(names, !excluded, &other));
			assert_int_equal(out.n, 1);
			assert_int_equal(other.n, 0);
			assert_string_equal(out.v[0], rows[i]);
		}
}

static void other_texts_are_refused(void **state)
{
	static const char *const rows[] = {
		"", "example.com", "dns:", "dns:.example.com", "dns:Example.com", "dns:a..b", "dns:a.", "dns:*.example.com", "ip:10.0.0.1/8",
		"ip:10.0.0.0/33", "ip:", "ip:x", "email:", "email:@example.com", "email:a@", "uri:example.com",
		"dns:-a.example", "dns:a" HOST_253,
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(strings) in = list(rows[i]);
		auto(NAME_CONSTRAINTS) *names = NULL;
		auto_value(problem) p = { 0 };
		assert_false(constraint_make(&in, NULL, &names, &p));
		assert_null(names);
		assert_non_null(strstr(p.detail, "4.2.1.10"));
	}
}

static void none_is_none(void **state)
{
	auto_value(strings) empty = { 0 };
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(constraint_make(NULL, NULL, &names, &p) && constraint_make(&empty, &empty, &names, &p));
	assert_null(names);
}

/* --- held against a certificate */

static struct strings list_or_none(const char *text)
{
	return text ? list(text) : (struct strings){ 0 };
}

static X509 *ca_of(const char *permitted, const char *excluded)
{
	auto_value(strings) in = list_or_none(permitted), out = list_or_none(excluded);
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto_value(problem) p = { 0 };
	X509 *ca = X509_new();

	assert_true(constraint_make(&in, &out, &names, &p) && names);
	assert_int_equal(X509_add1_ext_i2d(ca, NID_name_constraints, names, 1, 0), 1);
	return ca;
}

/* cn or san NULL: none. */
static X509 *certificate_of(const char *cn, const char *san)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_true(X509_set_version(x, X509_VERSION_3) && X509_set_pubkey(x, key) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	assert_true(X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 60));
	if (cn)
		assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0));
	if (san) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
		assert_true(extension && X509_add_ext(x, extension, -1));
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static bool holds(X509 *ca, X509 *x)
{
	auto(ossl_x509_stack) *above = sk_X509_new_null();
	auto_value(problem) p = { 0 };
	unsigned char *tbs = NULL, *algorithm = NULL;
	int tbs_len = i2d_re_X509_tbs(x, &tbs), algorithm_len = i2d_X509_ALGOR(X509_get0_tbs_sigalg(x), &algorithm);

	assert_true(tbs_len > 0 && algorithm_len > 0 && X509_up_ref(ca) && sk_X509_push(above, ca) > 0);
	bool good = constraint_check(above, BYTES(tbs, (size_t)tbs_len), BYTES(algorithm, (size_t)algorithm_len), &p);
	if (!good)
		assert_int_equal(p.kind, PROBLEM_REJECTED_IDENTIFIER);
	OPENSSL_free(tbs);
	OPENSSL_free(algorithm);
	return good;
}

static void certificates_are_within_them(void **state)
{
	static const struct {
		const char *permitted, *excluded, *cn, *san;
		bool want;
	} rows[] = {
		{ "dns:example.com", NULL, NULL, "DNS:www.example.com", true },
		{ "dns:example.com", NULL, NULL, "DNS:example.com", true },
		{ "dns:example.com", NULL, NULL, "DNS:www.example.net", false },
		{ "dns:example.com", NULL, NULL, "DNS:badexample.com", false },
		{ "dns:example.com", NULL, NULL, "DNS:www.example.com,DNS:www.example.net", false },
		{ "dns:example.com", NULL, NULL, "IP:192.0.2.7", true }, /* nothing is said about addresses */
		/* A common name that could be a host's, where no other name stands. */
		{ "dns:example.com", NULL, "www.example.com", NULL, true },
		{ "dns:example.com", NULL, "www.example.net", NULL, false },
		{ "dns:example.com", NULL, "Ada Lovelace", NULL, true },
		{ NULL, "dns:secret.example.com", NULL, "DNS:www.example.com", true },
		{ NULL, "dns:secret.example.com", NULL, "DNS:secret.example.com", false },
		{ NULL, "dns:secret.example.com", NULL, "DNS:a.secret.example.com", false },
		{ NULL, "dns:secret.example.com", "secret.example.com", NULL, false },
		/* What a wildcard stands for. */
		{ NULL, "dns:secret.example.com", NULL, "DNS:*.example.com", false },
		{ NULL, "dns:secret.example.com", NULL, "DNS:*.EXAMPLE.com", false },
		{ NULL, "dns:secret.example.com", NULL, "DNS:*.secret.example.com", false },
		{ NULL, "dns:secret.example.com", NULL, "DNS:*.www.example.com", true },
		{ NULL, "dns:secret.example.com", NULL, "DNS:*.example.co", true },
		{ NULL, "dns:secret.example.co", NULL, "DNS:*.example.com", true },
		{ "ip:10.0.0.0/8", NULL, NULL, "IP:10.1.2.3", true },
		{ "ip:10.0.0.0/8", NULL, NULL, "IP:11.0.0.1", false },
		{ NULL, "ip:10.0.0.0/8", NULL, "IP:10.255.255.255", false },
		{ "email:example.com", NULL, NULL, "email:a@example.com", true },
		{ "email:example.com", NULL, NULL, "email:a@www.example.com", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(X509) *ca = ca_of(rows[i].permitted, rows[i].excluded), *x = certificate_of(rows[i].cn, rows[i].san);
		if (holds(ca, x) != rows[i].want)
			fail_msg("row %zu: %s %s", i, rows[i].cn ?: "", rows[i].san ?: "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(certificates_are_within_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
