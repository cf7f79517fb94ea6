#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "tests/unit/test_ca_folder.h"

static const struct bytes passphrase = { (const uint8_t *)"correct horse", 13 };
enum { YEAR = 365 * 24 * 3600 };

static struct ca_create_options usual(void)
{
	return (struct ca_create_options){
		.folder = folder, .organization = "Example", .root_name = "Example Root", .issuing_name = "Example Issuing",
		.root_key = KEYFILE_EC_P256, .issuing_key = KEYFILE_EC_P256,
		.root_lifetime = 20LL * YEAR, .issuing_lifetime = 10LL * YEAR,
	};
}

static void create(const struct ca_create_options *options)
{
	auto_value(problem) p = { 0 };

	assert_true(ca_create(options, passphrase, &p));
}

static void assert_create_refused(const struct ca_create_options *options, enum problem_kind want, const char *want_text)
{
	auto_value(problem) p = { 0 };

	assert_false(ca_create(options, passphrase, &p));
	assert_string_equal(problem_kind_name(p.kind), problem_kind_name(want));
	assert_non_null(strstr(p.detail, want_text));
	assert_false(ca_exists(options->folder) && want != PROBLEM_CONFLICT);
}

static X509 *read_certificate(const char *name)
{
	auto_value(buf) text = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };

	get_file(name, &text);
	assert_true(ossl_from_pem("CERTIFICATE", buf_bytes(&text), &der, &p));
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
	assert_true(certificate && at == der.data + der.len);
	return certificate;
}

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static void assert_names(X509_NAME *name, const char *want)
{
	char text[256];
	auto(BIO) *bio = BIO_new(BIO_s_mem());

	assert_true(X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0);
	int n = BIO_read(bio, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	assert_string_equal(text, want);
}

/* As strict as OpenSSL can be with a chain (X509_V_FLAG_X509_STRICT). */
static void assert_strictly_good(X509 *root, X509 *issuing)
{
	auto(X509_STORE) *store = X509_STORE_new();
	auto(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();

	assert_int_equal(X509_STORE_add_cert(store, root), 1);
	assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, issuing, NULL), 1);
	assert_int_equal(X509_verify_cert(ctx), 1);
}

/* RFC 5280, 4.2.1: what each extension of a CA certificate has to be. */
static void assert_ca_extensions(X509 *certificate, X509 *issuer, long want_path_length)
{
	int critical = -1;

	auto(BASIC_CONSTRAINTS) *constraints = X509_get_ext_d2i(certificate, NID_basic_constraints, &critical, NULL);
	assert_true(constraints && critical == 1 && constraints->ca);
	assert_int_equal(constraints->pathlen ? ASN1_INTEGER_get(constraints->pathlen) : -1, want_path_length);
	auto(ASN1_BIT_STRING) *usage = X509_get_ext_d2i(certificate, NID_key_usage, &critical, NULL);
	assert_true(usage && critical == 1);
	assert_int_equal(X509_get_key_usage(certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	auto(ASN1_OCTET_STRING) *id = X509_get_ext_d2i(certificate, NID_subject_key_identifier, &critical, NULL);
	assert_true(id && critical == 0 && ASN1_STRING_length(id) == 20);
	auto(AUTHORITY_KEYID) *authority = X509_get_ext_d2i(certificate, NID_authority_key_identifier, &critical, NULL);
	assert_true(authority && critical == 0 && authority->keyid && !authority->issuer && !authority->serial);
	assert_int_equal(ASN1_OCTET_STRING_cmp(authority->keyid, X509_get0_subject_key_id(issuer)), 0);
	assert_int_equal(X509_get_ext_count(certificate), 4);
}

static void root_and_issuing_ca_hold_the_rules(void **state)
{
	static const enum keyfile_kind kinds[][2] = {
		{ KEYFILE_EC_P256, KEYFILE_EC_P256 }, { KEYFILE_EC_P384, KEYFILE_EC_P256 },
		{ KEYFILE_EC_P256, KEYFILE_EC_P384 }, { KEYFILE_RSA_3072, KEYFILE_EC_P256 },
	};
	static const int want_hash[] = { NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA256, NID_sha256WithRSAEncryption };

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct ca_create_options options = usual();
		folder_empty(folder);
		options.root_key = kinds[i][0];
		options.issuing_key = kinds[i][1];
		create(&options);
		auto(X509) *root = read_certificate("root.pem");
		auto(X509) *issuing = read_certificate("issuing.pem");
		assert_int_equal(X509_get_signature_nid(root), want_hash[i]);
		assert_int_equal(X509_get_signature_nid(issuing), want_hash[i]);
		assert_ca_extensions(root, root, -1);
		assert_ca_extensions(issuing, root, 0);
		assert_strictly_good(root, issuing);
		assert_names(X509_get_subject_name(root), "CN=Example Root,O=Example");
		assert_names(X509_get_subject_name(issuing), "CN=Example Issuing,O=Example");
		assert_true(ASN1_STRING_length(X509_get0_serialNumber(issuing)) == 16);
		assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(root), X509_get0_serialNumber(issuing)), 0);
	}
}

static void lives_are_as_asked_and_within_the_root(void **state)
{
	static const struct {
		int64_t root, issuing, want_issuing;
	} rows[] = { { 20LL * YEAR, 10LL * YEAR, 10LL * YEAR }, { YEAR, 10LL * YEAR, YEAR }, { 100LL * YEAR, YEAR, YEAR } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct ca_create_options options = usual();
		folder_empty(folder);
		options.root_lifetime = rows[i].root;
		options.issuing_lifetime = rows[i].issuing;
		int64_t before = clock_now();
		create(&options);
		auto(X509) *root = read_certificate("root.pem");
		auto(X509) *issuing = read_certificate("issuing.pem");
		assert_in_range(seconds(X509_get0_notAfter(root)) - before, rows[i].root, rows[i].root + 5);
		assert_in_range(seconds(X509_get0_notAfter(issuing)) - before, rows[i].want_issuing, rows[i].want_issuing + 5);
		assert_true(seconds(X509_get0_notAfter(issuing)) <= seconds(X509_get0_notAfter(root)));
		assert_in_range(before - seconds(X509_get0_notBefore(issuing)), 3600, 7 * 24 * 3600);
	}
}

static void files_have_the_right_modes(void **state)
{
	static const struct {
		const char *name;
		unsigned want_mode;
	} rows[] = {
		{ "root.key", 0600 }, { "issuing.key", 0600 }, { "root.pem", 0644 }, { "issuing.pem", 0644 },
		{ "issuing.chain.pem", 0644 },
	};
	struct ca_create_options options = usual();
	struct stat st;

	(void)state;
	options.folder = in_folder("new");
	assert_false(ca_exists(options.folder));
	create(&options);
	assert_true(ca_exists(options.folder));
	assert_int_equal(stat(options.folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < array_length(rows); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", in_folder("new"), rows[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i].want_mode);
	}
}

static void a_ca_is_not_made_twice(void **state)
{
	const struct ca_create_options options = usual();
	auto_value(buf) before = { 0 };
	auto_value(buf) after = { 0 };

	(void)state;
	create(&options);
	get_file("root.key", &before);
	assert_create_refused(&options, PROBLEM_CONFLICT, "a CA already");
	get_file("root.key", &after);
	assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
}

/* Files are written in the order of the list: a crash leaves the first few of them. */
static void a_half_made_ca_is_completed(void **state)
{
	static const char *const order[] = { "root.key", "root.pem", "issuing.key", "issuing.chain.pem", "issuing.pem" };
	const struct ca_create_options options = usual();

	(void)state;
	for (size_t kept = 1; kept < array_length(order); kept++) {
		auto_value(problem) p = { 0 };
		auto_value(buf) before = { 0 };
		auto_value(buf) after = { 0 };
		auto_struct(ca) *ca = NULL;
		folder_empty(folder);
		create(&options);
		for (size_t i = kept; i < array_length(order); i++)
			assert_int_equal(unlink(in_folder(order[i])), 0);
		assert_false(ca_exists(folder));
		get_file(order[kept - 1], &before);
		create(&options);
		get_file(order[kept - 1], &after);
		assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
		assert_true(ca_open(&(struct ca_options){ .folder = folder }, passphrase, &ca, &p));
	}
}

static void a_half_made_ca_of_another_passphrase_or_key_is_refused(void **state)
{
	const struct ca_create_options options = usual();
	auto_value(problem) p = { 0 };

	(void)state;
	create(&options);
	assert_int_equal(unlink(in_folder("issuing.pem")), 0);
	assert_false(ca_create(&options, BYTES_STR("another"), &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
	assert_int_equal(unlink(in_folder("root.key")), 0);
	assert_create_refused(&options, PROBLEM_MALFORMED, "root.key");
}

static void names_out_of_bounds_are_refused(void **state)
{
	static char a64[65], a65[66];
	memset(a64, 'a', 64);
	memset(a65, 'a', 65);
	const struct {
		const char *organization, *root, *issuing;
		const char *want_text; /* NULL: good */
	} rows[] = {
		{ NULL, "Root", "Issuing", NULL },     { a64, a64, "Issuing", NULL },
		{ "\xc3\x84rger \xe2\x82\xac", "Root", "Issuing", NULL },
		{ "", "Root", "Issuing", "1 to 64" },  { a65, "Root", "Issuing", "1 to 64" },
		{ NULL, a65, "Issuing", "1 to 64" },   { NULL, "", "Issuing", "1 to 64" },
		{ NULL, "Root", "", "1 to 64" },       { "\xff", "Root", "Issuing", "UTF-8" },
		{ NULL, "Root\n", "Issuing", "control" },
		{ NULL, "Root", "Issu\xe2\x80\x8bing", "cannot be seen" }, { "Example ", "Root", "Issuing", "space at an end" }, { NULL, "Same", "Same", "different names" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct ca_create_options options = usual();
		folder_empty(folder);
		options.organization = rows[i].organization;
		options.root_name = rows[i].root;
		options.issuing_name = rows[i].issuing;
		if (rows[i].want_text)
			assert_create_refused(&options, PROBLEM_MALFORMED, rows[i].want_text);
		else
			create(&options);
	}
}

static void names_are_utf8_strings(void **state)
{
	struct ca_create_options options = usual();

	(void)state;
	options.organization = "\xc3\x84rger";
	create(&options);
	auto(X509) *issuing = read_certificate("issuing.pem");
	X509_NAME *name = X509_get_subject_name(issuing);
	assert_int_equal(X509_NAME_entry_count(name), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i))), V_ASN1_UTF8STRING);
}

static void lives_out_of_bounds_are_refused(void **state)
{
	static const int64_t lives[] = { 0, -1, INT64_MAX, 253402300799 };

	(void)state;
	for (size_t i = 0; i < array_length(lives); i++) {
		struct ca_create_options options = usual();
		options.root_lifetime = lives[i];
		assert_create_refused(&options, PROBLEM_MALFORMED, "life");
		options = usual();
		options.issuing_lifetime = lives[i];
		assert_create_refused(&options, PROBLEM_MALFORMED, "life");
	}
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(root_and_issuing_ca_hold_the_rules),
		in_scratch(lives_are_as_asked_and_within_the_root),
		in_scratch(files_have_the_right_modes),
		in_scratch(a_ca_is_not_made_twice),
		in_scratch(a_half_made_ca_is_completed),
		in_scratch(a_half_made_ca_of_another_passphrase_or_key_is_refused),
		in_scratch(names_out_of_bounds_are_refused),
		in_scratch(names_are_utf8_strings),
		in_scratch(lives_out_of_bounds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
