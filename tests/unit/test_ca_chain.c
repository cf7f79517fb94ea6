/* Files of chains, and how many CAs those above allow (RFC 5280, 4.2.1.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "ca/chain.h"
#include "tests/unit/test_ca_folder.h"

enum { NONE = -1, OF_NOBODY = -2, LEVELS = 4, HOUR = 3600 };

static EVP_PKEY *keys[LEVELS];

static int setup(void **state)
{
	for (int i = 0; i < LEVELS; i++)
		keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return folder_setup(state);
}

static int teardown(void **state)
{
	for (int i = 0; i < LEVELS; i++)
		EVP_PKEY_free(keys[i]);
	return folder_teardown(state);
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_true(extension && X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static void put_name(X509_NAME *name, const char *text)
{
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0));
}

/* A CA of the key of that level. issuer NULL: it is a root. */
static X509 *ca_of(int level, const char *name, int path_length, X509 *issuer, int issuer_level)
{
	X509 *x = X509_new();
	char constraint[64] = "critical,CA:TRUE";

	if (path_length >= 0)
		snprintf(constraint, sizeof(constraint), "critical,CA:TRUE,pathlen:%d", path_length);
	assert_true(X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), level + 1) && X509_set_pubkey(x, keys[level]));
	assert_true(X509_gmtime_adj(X509_getm_notBefore(x), -HOUR) && X509_gmtime_adj(X509_getm_notAfter(x), HOUR));
	put_name(X509_get_subject_name(x), name);
	if (issuer)
		assert_true(X509_set_issuer_name(x, X509_get_subject_name(issuer)));
	else
		put_name(X509_get_issuer_name(x), name);
	extend(x, x, NID_basic_constraints, constraint);
	extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(x, x, NID_subject_key_identifier, "hash");
	if (issuer)
		extend(x, issuer, NID_authority_key_identifier, "keyid:always");
	assert_true(X509_sign(x, keys[issuer ? issuer_level : level], NULL) > 0);
	return x;
}

static void all_above_allow_the_cas_below(void **state)
{
	static const struct {
		int root, middle; /* path lengths; middle OF_NOBODY: there is none */
		const char *middle_name;
		bool want;
	} rows[] = {
		{ NONE, OF_NOBODY, NULL, true },
		{ 0, OF_NOBODY, NULL, false },
		{ 1, OF_NOBODY, NULL, true },
		{ NONE, NONE, "Middle", true },
		{ NONE, 0, "Middle", false },
		{ NONE, 1, "Middle", true },
		{ 1, NONE, "Middle", false },
		{ 2, NONE, "Middle", true },
		{ 2, 1, "Middle", true },
		{ 1, NONE, "Root", true }, /* the root's own next key: issued to itself, it is not counted */
		{ 0, NONE, "Root", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		bool has_middle = rows[i].middle != OF_NOBODY;
		auto(ossl_x509_stack) *chain = sk_X509_new_null();
		X509 *root = ca_of(0, "Root", rows[i].root, NULL, 0);
		X509 *middle = has_middle ? ca_of(1, rows[i].middle_name, rows[i].middle, root, 0) : NULL;
		auto(X509) *own = ca_of(2, "Issuing", 0, has_middle ? middle : root, has_middle ? 1 : 0);
		auto_value(problem) p = { 0 };
		assert_true((!middle || sk_X509_push(chain, middle) > 0) && sk_X509_push(chain, root) > 0);
		if (chain_verify("chain.pem", own, chain, &p) != rows[i].want)
			fail_msg("row %zu: %s", i, p.detail);
	}
}

static void the_last_one_is_a_root(void **state)
{
	auto(ossl_x509_stack) *chain = sk_X509_new_null();
	auto(X509) *root = ca_of(0, "Root", NONE, NULL, 0);
	X509 *middle = ca_of(1, "Middle", NONE, root, 0);
	auto(X509) *own = ca_of(2, "Issuing", 0, middle, 1);
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(sk_X509_push(chain, middle) > 0);
	assert_false(chain_verify("chain.pem", own, chain, &p));
	assert_non_null(strstr(p.detail, "not a self-signed root"));
}

/* So many certificates, with what stands before, between and behind them. */
static int count_read(size_t count, const char *label, const char *between, size_t cut)
{
	auto(X509) *root = ca_of(0, "Root", NONE, NULL, 0);
	auto(ossl_x509_stack) *chain = NULL;
	auto_value(buf) der = { 0 }, pem = { 0 };
	auto_value(problem) p = { 0 };

	assert_true(ossl_der(i2d_X509, root, &der));
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&pem, between);
		ossl_pem(i + 1 == count ? label : "CERTIFICATE", buf_bytes(&der), &pem);
	}
	buf_add_str(&pem, between);
	put_file("chain.pem", BYTES(pem.data, pem.len - cut), 0644);
	if (chain_read(in_folder("chain.pem"), &chain, &p))
		return sk_X509_num(chain);
	assert_non_null(strstr(p.detail, "not one to 8 PEM certificates and nothing else"));
	return NONE;
}

static void files_hold_one_to_eight_certificates(void **state)
{
	(void)state;
	assert_int_equal(count_read(1, "CERTIFICATE", "", 0), 1);
	assert_int_equal(count_read(8, "CERTIFICATE", "", 0), 8);
	assert_int_equal(count_read(9, "CERTIFICATE", "", 0), NONE);
	assert_int_equal(count_read(0, "CERTIFICATE", "nothing\n", 0), NONE);
	assert_int_equal(count_read(2, "CERTIFICATE", "# a comment\n", 0), 2);
	assert_int_equal(count_read(2, "X509 CRL", "", 0), NONE);
	assert_int_equal(count_read(2, "CERTIFICATE REQUEST", "", 0), NONE);
	assert_int_equal(count_read(2, "CERTIFICATE", "", 20), NONE); /* cut short: the second one is not passed over */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_above_allow_the_cas_below, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_one_is_a_root, setup, teardown),
		cmocka_unit_test_setup_teardown(files_hold_one_to_eight_certificates, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
