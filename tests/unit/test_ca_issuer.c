#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "tests/unit/test_ca_issue.h"

/* Certificates made by hand, as another CA's software would: what is loaded need not be ours. */
struct made {
	const char *name;        /* CN */
	const char *constraints; /* "critical,CA:TRUE"; NULL: none */
	const char *usage;       /* NULL: none */
	bool no_key_id, no_name;
	int64_t begin, end;      /* from now; 0: an hour ago, a year from now */
};

static void add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_true(e && X509_add_ext(certificate, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/* issuer NULL: self-signed. */
static X509 *make(const struct made *made, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	static long serial = 1;
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
	if (!made->no_name)
		X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)made->name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : name);
	ASN1_TIME_set(X509_getm_notBefore(certificate), clock_now() + (made->begin ? made->begin : -3600));
	ASN1_TIME_set(X509_getm_notAfter(certificate), clock_now() + (made->end ? made->end : TEST_YEAR));
	X509_set_pubkey(certificate, key);
	if (made->constraints)
		add(certificate, issuer, NID_basic_constraints, made->constraints);
	if (made->usage)
		add(certificate, issuer, NID_key_usage, made->usage);
	if (!made->no_key_id)
		add(certificate, issuer, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
	return certificate;
}

#define CA_MADE .constraints = "critical,CA:TRUE", .usage = "critical,keyCertSign,cRLSign"
static const struct made root_made = { .name = "Root", CA_MADE }, issuing_made = { .name = "Issuing", CA_MADE };

static EVP_PKEY *root_key, *issuing_key;
static X509 *root, *issuing;

/* A file of PEM certificates, up to NULL. */
static void put_certificates(const char *name, X509 *const *list)
{
	auto_value(buf) pem = { 0 };

	for (; *list; list++) {
		auto_value(buf) der = { 0 };
		assert_true(ossl_der(i2d_X509, *list, &der));
		ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	}
	put_file(name, buf_bytes(&pem), 0644);
}
#define PUT(name, ...) put_certificates((name), (X509 *const[]){ __VA_ARGS__, NULL })

static void put_key(const char *name, EVP_PKEY *key)
{
	auto_value(problem) p = { 0 };

	unlink(in_folder(name));
	assert_true(keyfile_write(in_folder(name), key, KEYFILE_CHOSEN, test_passphrase, &p));
}

static int setup(void **state)
{
	if (folder_setup(state) != 0)
		return -1;
	root_key = EVP_EC_gen("P-256");
	issuing_key = EVP_EC_gen("P-256");
	root = make(&root_made, root_key, NULL, NULL);
	issuing = make(&issuing_made, issuing_key, root, root_key);
	PUT("root.pem", root);
	PUT("issuing.pem", issuing);
	PUT("issuing.chain.pem", root);
	put_key("issuing.key", issuing_key);
	return 0;
}

static int teardown(void **state)
{
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(issuing_key);
	X509_free(root);
	X509_free(issuing);
	return folder_teardown(state);
}

static void assert_refused(enum problem_kind want, const char *want_text)
{
	const struct ca_options options = { .folder = folder };
	auto_value(problem) p = { 0 };
	struct ca *ca = NULL;

	assert_false(ca_open(&options, test_passphrase, &ca, &p));
	assert_null(ca);
	if (!strstr(p.detail, want_text))
		print_error("\"%s\" is not in \"%s\"\n", want_text, p.detail);
	assert_non_null(strstr(p.detail, want_text));
	assert_string_equal(problem_kind_name(p.kind), problem_kind_name(want));
	assert_int_equal(ERR_peek_error(), 0);
}

/* The certificates of a PEM text are these and no others. */
static void assert_pem(struct bytes pem, X509 *const *want)
{
	auto_value(buf) text = { 0 };

	for (; *want; want++) {
		auto_value(buf) der = { 0 };
		assert_true(ossl_der(i2d_X509, *want, &der));
		ossl_pem("CERTIFICATE", buf_bytes(&der), &text);
	}
	assert_true(bytes_equal(pem, buf_bytes(&text)));
}
#define ASSERT_PEM(pem, ...) assert_pem((pem), (X509 *const[]){ __VA_ARGS__, NULL })

static void an_issuer_tells_what_it_is(void **state)
{
	auto_struct(ca) *ca = test_open(folder, TEST_BASE);
	const struct issuer *issuer = ca_issuer(ca, "");
	auto_value(buf) der = { 0 };

	(void)state;
	assert_true(ossl_der(i2d_X509, issuing, &der));
	assert_string_equal(issuer_name(issuer), "issuing");
	assert_true(bytes_equal(issuer_certificate(issuer), buf_bytes(&der)));
	assert_in_range(issuer_not_after(issuer), clock_now() + TEST_YEAR - 60, clock_now() + TEST_YEAR);
	assert_int_equal(issuer_chain_count(issuer), 1);
	ASSERT_PEM(issuer_chain_pem(issuer, 0), issuing);
	ASSERT_PEM(ca_root_pem(ca), root);
	assert_ptr_equal(ca_issuer(ca, "issuing"), issuer);
	assert_ptr_equal(ca_issuer_at(ca, 0), issuer);
	assert_null(ca_issuer_at(ca, 1));
	assert_null(ca_issuer(ca, "issuin"));
}

static void intermediates_are_sent_and_the_root_is_not(void **state)
{
	static const struct made middle_made = { .name = "Middle", CA_MADE };
	auto(EVP_PKEY) *middle_key = EVP_EC_gen("P-384");
	auto(X509) *middle = make(&middle_made, middle_key, root, root_key);
	auto(X509) *below = make(&issuing_made, issuing_key, middle, middle_key);

	(void)state;
	PUT("issuing.pem", below);
	PUT("issuing.chain.pem", middle, root);
	auto_struct(ca) *ca = test_open(folder, NULL);
	ASSERT_PEM(issuer_chain_pem(ca_issuer(ca, ""), 0), below, middle);
}

/* RFC 8555, 7.4.2: a root that is new, cross-signed by the old one; and the issuing CA's own
 * certificate from the old root. By name of the file, whatever order the folder has. */
static void alternate_chains_follow_by_name(void **state)
{
	static const struct made old_made = { .name = "Old", CA_MADE };
	auto(EVP_PKEY) *old_key = EVP_EC_gen("P-256");
	auto(X509) *old = make(&old_made, old_key, NULL, NULL);
	auto(X509) *cross = make(&root_made, root_key, old, old_key);
	auto(X509) *reissued = make(&issuing_made, issuing_key, old, old_key);

	(void)state;
	PUT("issuing.chain-zz.pem", reissued, old);
	PUT("issuing.chain-old.pem", cross, old);
	PUT("issuing.chain-not", root);
	PUT("other.chain-x.pem", old);
	auto_struct(ca) *ca = test_open(folder, NULL);
	const struct issuer *issuer = ca_issuer(ca, "");
	assert_int_equal(issuer_chain_count(issuer), 3);
	ASSERT_PEM(issuer_chain_pem(issuer, 0), issuing);
	ASSERT_PEM(issuer_chain_pem(issuer, 1), issuing, cross);
	ASSERT_PEM(issuer_chain_pem(issuer, 2), reissued);
}

static void an_alternate_chain_of_another_ca_is_refused(void **state)
{
	static const struct made old_made = { .name = "Old", CA_MADE };
	auto(EVP_PKEY) *old_key = EVP_EC_gen("P-256");
	auto(X509) *old = make(&old_made, old_key, NULL, NULL);

	(void)state;
	PUT("issuing.chain-old.pem", old);
	assert_refused(PROBLEM_MALFORMED, "issuing.chain-old.pem");
}

static void certificates_that_are_no_issuers_are_refused(void **state)
{
	static const struct {
		struct made made;
		const char *want_text;
	} rows[] = {
		{ { .name = "I", .usage = "critical,keyCertSign" }, "CA" },
		{ { .name = "I", .constraints = "critical,CA:FALSE", .usage = "critical,keyCertSign" }, "CA" },
		{ { .name = "I", .constraints = "critical,CA:TRUE", .usage = "critical,cRLSign" }, "keyCertSign" },
		{ { .name = "I", .constraints = "critical,CA:TRUE", .usage = "critical,keyCertSign" }, "cRLSign" },
		{ { .name = "I", CA_MADE, .no_key_id = true }, "subjectKeyIdentifier" },
		{ { .name = "I", CA_MADE, .no_name = true }, "subject is empty" },
		{ { .name = "I", CA_MADE, .begin = -200, .end = -100 }, "expired; if the clock is right, `enrolld ca renew`" },
		{ { .name = "I", CA_MADE, .begin = 100, .end = 200 }, "not yet valid; is the clock right?" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(X509) *made = make(&rows[i].made, issuing_key, root, root_key);
		PUT("issuing.pem", made);
		assert_refused(PROBLEM_MALFORMED, rows[i].want_text);
	}
}

/* clock_now is what counts, as everywhere: tests move it. */
static void an_issuer_expires(void **state)
{
	(void)state;
	clock_shift(2 * TEST_YEAR);
	assert_refused(PROBLEM_MALFORMED, "expired");
	clock_shift(-2 * TEST_YEAR);
	ca_free(test_open(folder, NULL));
}

static void chains_that_end_in_no_root_are_refused(void **state)
{
	static const struct made other_made = { .name = "Other", CA_MADE };
	auto(EVP_PKEY) *other_key = EVP_EC_gen("P-256");
	auto(X509) *other = make(&other_made, other_key, NULL, NULL);
	auto(X509) *twin = make(&root_made, other_key, NULL, NULL); /* the root's name, another key */
	auto(X509) *middle = make(&other_made, other_key, root, root_key);

	(void)state;
	PUT("issuing.chain.pem", other);
	assert_refused(PROBLEM_MALFORMED, "does not verify");
	PUT("issuing.chain.pem", twin);
	assert_refused(PROBLEM_MALFORMED, "does not verify");
	PUT("issuing.chain.pem", middle);
	assert_refused(PROBLEM_MALFORMED, "self-signed root");
	PUT("issuing.chain.pem", root, middle);
	assert_refused(PROBLEM_MALFORMED, "self-signed root");
	unlink(in_folder("issuing.chain.pem"));
	assert_refused(PROBLEM_NOT_FOUND, "issuing.chain.pem");
}

static void another_root_file_is_refused(void **state)
{
	static const struct made other_made = { .name = "Other", CA_MADE };
	auto(X509) *other = make(&other_made, issuing_key, NULL, NULL);

	(void)state;
	PUT("root.pem", other);
	assert_refused(PROBLEM_MALFORMED, "root.pem");
	PUT("root.pem", root, other);
	assert_refused(PROBLEM_MALFORMED, "root.pem");
	unlink(in_folder("root.pem"));
	assert_refused(PROBLEM_NOT_FOUND, "root.pem");
}

static void another_key_is_refused(void **state)
{
	(void)state;
	put_key("issuing.key", root_key);
	assert_refused(PROBLEM_MALFORMED, "not the key of the certificate");
	unlink(in_folder("issuing.key"));
	assert_refused(PROBLEM_NOT_FOUND, "issuing.key");
}

static void a_wrong_passphrase_is_unauthorized(void **state)
{
	const struct ca_options options = { .folder = folder };
	auto_value(problem) p = { 0 };
	struct ca *ca = NULL;

	(void)state;
	assert_false(ca_open(&options, BYTES_STR("wrong"), &ca, &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
	assert_non_null(strstr(p.detail, "issuing.key"));
}

/* The private half of a key pair is not the public one's: found by signing, at start-up. */
static void a_key_that_does_not_sign_is_refused(void **state)
{
	auto(BIGNUM) *private = NULL;
	uint8_t point[65];
	size_t len;
	auto(OSSL_PARAM_BLD) *bld = OSSL_PARAM_BLD_new();
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	auto(EVP_PKEY) *mixed = NULL;
	const struct ca_options options = { .folder = folder };
	auto_value(problem) p = { 0 };
	struct ca *ca = NULL;

	(void)state;
	assert_int_equal(EVP_PKEY_get_bn_param(root_key, OSSL_PKEY_PARAM_PRIV_KEY, &private), 1);
	assert_int_equal(EVP_PKEY_get_octet_string_param(issuing_key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
	assert_true(OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
	            OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, private) &&
	            OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, len));
	auto(OSSL_PARAM) *params = OSSL_PARAM_BLD_to_param(bld);
	assert_true(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &mixed, EVP_PKEY_KEYPAIR, params) == 1);
	put_key("issuing.key", mixed);
	assert_false(ca_open(&options, test_passphrase, &ca, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_non_null(strstr(p.cause, "does not sign"));
}

static void keys_that_no_ca_has_are_refused(void **state)
{
	static const char *const groups[] = { "brainpoolP512r1", "secp256k1", "P-224", "brainpoolP384r1" };

	(void)state;
	for (size_t i = 0; i < array_length(groups); i++) {
		auto(EVP_PKEY) *key = EVP_EC_gen(groups[i]);
		auto(X509) *made = make(&issuing_made, key, root, root_key);
		PUT("issuing.pem", made);
		put_key("issuing.key", key);
		assert_refused(PROBLEM_BAD_PUBLIC_KEY, "P-256, P-384 or P-521");
	}
	auto(EVP_PKEY) *small = EVP_RSA_gen(1024);
	auto(X509) *made = make(&issuing_made, small, root, root_key);
	PUT("issuing.pem", made);
	put_key("issuing.key", small);
	assert_refused(PROBLEM_BAD_PUBLIC_KEY, "2048");
}

static void files_that_are_no_certificates_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "nothing\n", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
		"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
	};
	static const char *const names[] = { "issuing.pem", "issuing.chain.pem", "root.pem" };

	(void)state;
	for (size_t n = 0; n < array_length(names); n++) {
		for (size_t i = 0; i < array_length(texts); i++) {
			put_file(names[n], BYTES_STR(texts[i]), 0644);
			assert_refused(PROBLEM_MALFORMED, names[n]);
		}
		if (n == 0)
			PUT("issuing.pem", issuing);
		else if (n == 1)
			PUT("issuing.chain.pem", root);
	}
}

static void bytes_after_a_certificate_and_long_chains_are_refused(void **state)
{
	auto_value(buf) der = { 0 };
	auto_value(buf) pem = { 0 };

	(void)state;
	assert_true(ossl_der(i2d_X509, issuing, &der));
	buf_add_char(&der, 0);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	put_file("issuing.pem", buf_bytes(&pem), 0644);
	assert_refused(PROBLEM_MALFORMED, "issuing.pem");
	PUT("issuing.pem", issuing, root);
	assert_refused(PROBLEM_MALFORMED, "more than one");
	PUT("issuing.pem", issuing);
	PUT("issuing.chain.pem", root, root, root, root, root, root, root, root, root);
	assert_refused(PROBLEM_MALFORMED, "one to 8");
}

static void several_issuers_have_names(void **state)
{
	static const char *const good[] = { "issuing", "second", NULL }, *const twice[] = { "issuing", "issuing", NULL };
	static const char *const none[] = { NULL }, *const odd[] = { "../issuing", NULL }, *const upper[] = { "Issuing", NULL };
	static const char *const missing[] = { "issuing", "third", NULL };
	static const struct {
		const char *const *names;
		enum problem_kind want;
		const char *want_text;
	} rows[] = {
		{ good, PROBLEM_NONE, "" },           { twice, PROBLEM_MALFORMED, "twice" },
		{ none, PROBLEM_MALFORMED, "no issuer" }, { odd, PROBLEM_MALFORMED, "../issuing" },
		{ upper, PROBLEM_MALFORMED, "Issuing" },  { missing, PROBLEM_NOT_FOUND, "third.pem" },
	};

	(void)state;
	PUT("second.pem", root);
	PUT("second.chain.pem", root);
	put_key("second.key", root_key);
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct ca_options options = { .folder = folder, .issuers = rows[i].names };
		auto_struct(ca) *ca = NULL;
		auto_value(problem) p = { 0 };
		assert_int_equal(ca_open(&options, test_passphrase, &ca, &p), rows[i].want == PROBLEM_NONE);
		assert_string_equal(problem_kind_name(p.kind), problem_kind_name(rows[i].want));
		assert_non_null(strstr(p.detail, rows[i].want_text));
		if (!ca)
			continue;
		assert_string_equal(issuer_name(ca_issuer(ca, "")), "issuing");
		assert_string_equal(issuer_name(ca_issuer(ca, "second")), "second");
		assert_string_equal(issuer_name(ca_issuer_at(ca, 1)), "second");
	}
}

/* Each has ended, and says that the other took its place. */
static void successors_that_go_round_in_a_circle_are_refused(void **state)
{
	static const struct made ended_made = { .name = "Issuing", .end = -60, .begin = -3600, CA_MADE };
	auto(X509) *ended = make(&ended_made, issuing_key, root, root_key);

	(void)state;
	PUT("issuing.pem", ended);
	PUT("issuing-2.pem", ended);
	put_file("issuing.successor", BYTES_STR("issuing-2"), 0600);
	put_file("issuing-2.successor", BYTES_STR("issuing"), 0600);
	assert_refused(PROBLEM_MALFORMED, "circle");
}

static void urls_are_checked(void **state)
{
	static const struct {
		const char *base;
		bool want;
	} rows[] = {
		{ NULL, true }, { "http://ca.example:8080", true }, { "http://ca.example/pki/", true }, { "https://[2001:db8::1]", true },
		{ "", false }, { "ca.example", false }, { "ftp://ca.example", false }, { "http://", false }, { "http:///x", false },
		{ "http://:80", false }, { "http://ca.example/a b", false }, { "http://ca.example/\xc3\xa4", false },
		{ "http://ca.example/?x", false }, { "http://ca.example/#x", false }, { "http://ca.example\n", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct ca_options options = { .folder = folder, .urls.base = rows[i].base };
		auto_struct(ca) *ca = NULL;
		auto_value(problem) p = { 0 };
		assert_int_equal(ca_open(&options, test_passphrase, &ca, &p), rows[i].want);
		assert_int_equal(p.kind, rows[i].want ? PROBLEM_NONE : PROBLEM_MALFORMED);
	}
}

/* What the URLs become; without a base the certificate has no pointers. */
static void urls_are_written(void **state)
{
	static const struct {
		const char *base, *want_issuer, *want_crl;
	} rows[] = {
		{ "http://ca.example", "http://ca.example/ca/issuing.crt", "http://ca.example/crl/issuing/0.crl" },
		{ "http://ca.example:80/pki//", "http://ca.example:80/pki/ca/issuing.crt", "http://ca.example:80/pki/crl/issuing/0.crl" },
		{ NULL, NULL, NULL },
	};
	static const char *const list[] = { "dns:example.com", NULL };
	auto_value(identifiers) names = test_names(list);
	auto_value(strings) usages = { 0 };

	(void)state;
	test_keys_make();
	assert_true(strings_add(&usages, "1.3.6.1.5.5.7.3.1"));
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(ca) *ca = test_open(folder, rows[i].base);
		const struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);
		auto_value(certificate) row = { 0 };
		auto_value(problem) p = { 0 };
		assert_true(test_issue(ca, &facts, &row, &p));
		auto(X509) *parsed = test_parse(row.der);
		assert_int_equal(X509_get_ext_count(parsed), rows[i].base ? 8 : 6);
		if (!rows[i].base)
			continue;
		assert_non_null(memmem(row.der.data, row.der.len, rows[i].want_issuer, strlen(rows[i].want_issuer)));
		assert_non_null(memmem(row.der.data, row.der.len, rows[i].want_crl, strlen(rows[i].want_crl)));
	}
	test_keys_free();
}

/* Of 1 to 32 characters, as a part of names of files and of URLs. */
static void names_of_issuers(void **state)
{
	static const struct {
		const char *name;
		bool want;
	} rows[] = {
		{ "a", true }, { "issuing-2", true }, { "abcdefghijklmnopqrstuvwxyz012345", true }, { "abcdefghijklmnopqrstuvwxyz0123456", false },
		{ "", false }, { "Issuing", false }, { "a.b", false }, { "../a", false }, { "a/b", false }, { "a b", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = { 0 };
		if (issuer_name_check(rows[i].name, &p) != rows[i].want)
			fail_msg("%s", rows[i].name);
	}
}

#define with_ca(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_issuers),
		with_ca(an_issuer_tells_what_it_is),
		with_ca(intermediates_are_sent_and_the_root_is_not),
		with_ca(alternate_chains_follow_by_name),
		with_ca(an_alternate_chain_of_another_ca_is_refused),
		with_ca(certificates_that_are_no_issuers_are_refused),
		with_ca(an_issuer_expires),
		with_ca(chains_that_end_in_no_root_are_refused),
		with_ca(another_root_file_is_refused),
		with_ca(another_key_is_refused),
		with_ca(a_wrong_passphrase_is_unauthorized),
		with_ca(a_key_that_does_not_sign_is_refused),
		with_ca(keys_that_no_ca_has_are_refused),
		with_ca(files_that_are_no_certificates_are_refused),
		with_ca(bytes_after_a_certificate_and_long_chains_are_refused),
		with_ca(several_issuers_have_names),
		with_ca(successors_that_go_round_in_a_circle_are_refused),
		with_ca(urls_are_checked),
		with_ca(urls_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
