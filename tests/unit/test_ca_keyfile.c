#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "ca/keyfile.h"
#include "tests/unit/test_ca_folder.h"

static const struct bytes passphrase = { (const uint8_t *)"correct horse", 13 };

static void kinds_have_names(void **state)
{
	static const struct {
		const char *name;
		enum keyfile_kind want;
		const char *want_type;
		int want_bits;
	} rows[] = {
		{ "ec-p256", KEYFILE_EC_P256, "EC", 256 }, { "ec-p384", KEYFILE_EC_P384, "EC", 384 },
		{ "rsa-3072", KEYFILE_RSA_3072, "RSA", 3072 }, { "rsa-4096", KEYFILE_RSA_4096, "RSA", 4096 },
	};
	static const char *const others[] = { "", "EC-P256", "ec-p25", "rsa-2048", "ed25519", "ec-p2560" };
	enum keyfile_kind kind = KEYFILE_RSA_4096;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(EVP_PKEY) *key = NULL;
		auto_value(problem) p = { 0 };
		assert_true(keyfile_kind_from(rows[i].name, &kind));
		assert_int_equal(kind, rows[i].want);
		if (kind == KEYFILE_RSA_4096)
			continue; /* takes seconds, and is the row above but for a number */
		assert_true(keyfile_generate(kind, &key, &p));
		assert_true(EVP_PKEY_is_a(key, rows[i].want_type));
		assert_int_equal(EVP_PKEY_get_bits(key), rows[i].want_bits);
	}
	for (size_t i = 0; i < array_length(others); i++)
		assert_false(keyfile_kind_from(others[i], &kind));
}

static EVP_PKEY *write_new(const char *name)
{
	auto_value(problem) p = { 0 };
	EVP_PKEY *key = NULL;

	assert_true(keyfile_generate(KEYFILE_EC_P256, &key, &p));
	assert_true(keyfile_write(in_folder(name), key, KEYFILE_CHOSEN, passphrase, &p));
	return key;
}

static void put_new(const char *name)
{
	EVP_PKEY_free(write_new(name));
}

static void assert_refused(const char *name, struct bytes secret, enum problem_kind want, const char *want_text)
{
	auto_value(problem) p = { 0 };
	EVP_PKEY *key = NULL;

	assert_false(keyfile_read(in_folder(name), secret, &key, &p));
	assert_string_equal(problem_kind_name(p.kind), problem_kind_name(want));
	assert_non_null(strstr(p.detail, want_text));
	assert_null(key);
	assert_int_equal(ERR_peek_error(), 0);
}

static void a_key_reads_back(void **state)
{
	auto(EVP_PKEY) *key = write_new("k");
	auto(EVP_PKEY) *read = NULL;
	auto_value(problem) p = { 0 };
	struct stat st;

	(void)state;
	assert_true(keyfile_read(in_folder("k"), passphrase, &read, &p));
	assert_int_equal(EVP_PKEY_eq(key, read), 1);
	assert_int_equal(stat(in_folder("k"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* RFC 8018, A.4 and RFC 7914, 7: id-PBES2, id-scrypt with N 16384, r 8, p 1, aes256-CBC. */
static void the_scheme_is_scrypt_and_aes(void **state)
{
	auto_value(buf) text = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	put_new("k");
	get_file("k", &text);
	assert_true(str_starts(buf_text(&text), "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
	assert_true(ossl_from_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&text), &der, &p));
	assert_non_null(memmem(der.data, der.len, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", 11));
	assert_non_null(memmem(der.data, der.len, "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x04\x0b", 11));
	assert_non_null(memmem(der.data, der.len, "\x02\x02\x40\x00\x02\x01\x08\x02\x01\x01", 10));
	assert_non_null(memmem(der.data, der.len, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a", 11));
}

/* 256 random bits need no slow hash, and a start that opens the key is not to wait for one. */
static void a_random_passphrase_is_hashed_quickly(void **state)
{
	auto(EVP_PKEY) *key = write_new("other"), *read = NULL;
	auto_value(buf) text = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(keyfile_write(in_folder("k"), key, KEYFILE_RANDOM, passphrase, &p));
	get_file("k", &text);
	assert_true(ossl_from_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&text), &der, &p));
	assert_non_null(memmem(der.data, der.len, "\x02\x02\x04\x00\x02\x01\x08\x02\x01\x01", 10));
	assert_true(keyfile_read(in_folder("k"), passphrase, &read, &p));
	assert_int_equal(EVP_PKEY_eq(key, read), 1);
}

static void two_writes_share_no_byte_of_salt(void **state)
{
	auto(EVP_PKEY) *key = write_new("a");
	auto_value(problem) p = { 0 };
	auto_value(buf) a = { 0 };
	auto_value(buf) b = { 0 };

	(void)state;
	assert_true(keyfile_write(in_folder("b"), key, KEYFILE_CHOSEN, passphrase, &p));
	get_file("a", &a);
	get_file("b", &b);
	assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
}

static void wrong_passphrases_are_unauthorized(void **state)
{
	static const char *const wrong[] = { "correct hors", "correct horse ", "Correct horse", "x" };

	(void)state;
	put_new("k");
	for (size_t i = 0; i < array_length(wrong); i++)
		assert_refused("k", BYTES_STR(wrong[i]), PROBLEM_UNAUTHORIZED, "passphrase");
	assert_refused("k", BYTES("", 0), PROBLEM_MALFORMED, "PRIVATE KEY");
}

static void an_existing_file_is_not_overwritten(void **state)
{
	auto(EVP_PKEY) *key = write_new("k");
	auto(EVP_PKEY) *read = NULL;
	auto(EVP_PKEY) *other = EVP_EC_gen("P-256");
	auto_value(problem) p = { 0 };

	(void)state;
	assert_false(keyfile_write(in_folder("k"), other, KEYFILE_CHOSEN, passphrase, &p));
	assert_int_equal(p.kind, PROBLEM_CONFLICT);
	assert_true(keyfile_read(in_folder("k"), passphrase, &read, &p));
	assert_int_equal(EVP_PKEY_eq(key, read), 1);
}

static void a_key_is_never_written_in_the_clear(void **state)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto_value(problem) p = { 0 };

	(void)state;
	assert_false(keyfile_write(in_folder("k"), key, KEYFILE_CHOSEN, BYTES("", 0), &p));
	assert_int_equal(access(in_folder("k"), F_OK), -1);
}

static void what_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602 };

	(void)state;
	put_new("k");
	for (size_t i = 0; i < array_length(modes); i++) {
		assert_int_equal(chmod(in_folder("k"), modes[i]), 0);
		assert_refused("k", passphrase, PROBLEM_UNAUTHORIZED, "chmod");
	}
}

static void bytes_beside_the_block_are_refused(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{ "x\n", "" }, { "\n", "" }, { "", "x" }, { "", "\n-----BEGIN PRIVATE KEY-----\n" }, { "", "# note\n" },
	};
	auto(EVP_PKEY) *read = NULL;
	auto_value(problem) p = { 0 };
	auto_value(buf) good = { 0 };

	(void)state;
	put_new("good");
	get_file("good", &good);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) text = { 0 };
		buf_printf(&text, "%s%s%s", rows[i].before, buf_text(&good), rows[i].after);
		put_file("k", buf_bytes(&text), 0600);
		assert_refused("k", passphrase, PROBLEM_MALFORMED, "PEM block");
	}
	buf_add_str(&good, " \r\n\n");
	put_file("k", buf_bytes(&good), 0600);
	assert_true(keyfile_read(in_folder("k"), passphrase, &read, &p));
}

/* Inside the block: bytes after the EncryptedPrivateKeyInfo, and after the plain PrivateKeyInfo. */
static void bytes_after_the_der_are_refused(void **state)
{
	auto(EVP_PKEY) *key = write_new("good");
	auto(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	auto_value(problem) p = { 0 };
	auto_value(buf) good = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(buf) sealed = { 0 };
	auto_value(buf) plain = { 0 };

	(void)state;
	get_file("good", &good);
	assert_true(ossl_from_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&good), &der, &p));
	buf_add_char(&der, 0);
	ossl_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&der), &sealed);
	put_file("k", buf_bytes(&sealed), 0600);
	assert_refused("k", passphrase, PROBLEM_MALFORMED, "EncryptedPrivateKeyInfo");

	buf_clear(&der);
	assert_true(ossl_der(i2d_PKCS8_PRIV_KEY_INFO, info, &der));
	buf_add_char(&der, 0);
	ossl_pem("PRIVATE KEY", buf_bytes(&der), &plain);
	put_file("k", buf_bytes(&plain), 0600);
	assert_refused("k", BYTES("", 0), PROBLEM_MALFORMED, "PrivateKeyInfo");
}

static void plain_keys_are_read_without_a_passphrase_only(void **state)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(EVP_PKEY) *read = NULL;
	auto(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	auto_value(problem) p = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(buf) pem = { 0 };

	(void)state;
	assert_true(ossl_der(i2d_PKCS8_PRIV_KEY_INFO, info, &der));
	ossl_pem("PRIVATE KEY", buf_bytes(&der), &pem);
	put_file("k", buf_bytes(&pem), 0600);
	assert_refused("k", passphrase, PROBLEM_MALFORMED, "ENCRYPTED");
	assert_true(keyfile_read(in_folder("k"), BYTES("", 0), &read, &p));
	assert_int_equal(EVP_PKEY_eq(key, read), 1);
}

static void missing_large_and_odd_files_are_refused(void **state)
{
	auto_value(buf) large = { 0 };

	(void)state;
	assert_refused("k", passphrase, PROBLEM_NOT_FOUND, "/k");
	put_file("k", BYTES_STR(""), 0600);
	assert_refused("k", passphrase, PROBLEM_MALFORMED, "PEM block");
	put_file("k", BYTES_STR("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"), 0600);
	assert_refused("k", passphrase, PROBLEM_MALFORMED, "EncryptedPrivateKeyInfo");
	assert_non_null(buf_extend(&large, 64 * 1024 + 1));
	memset(large.data, '\n', large.len);
	put_file("k", buf_bytes(&large), 0600);
	assert_refused("k", passphrase, PROBLEM_MALFORMED, "larger");
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		in_scratch(a_key_reads_back),
		in_scratch(the_scheme_is_scrypt_and_aes),
		in_scratch(a_random_passphrase_is_hashed_quickly),
		in_scratch(two_writes_share_no_byte_of_salt),
		in_scratch(wrong_passphrases_are_unauthorized),
		in_scratch(an_existing_file_is_not_overwritten),
		in_scratch(a_key_is_never_written_in_the_clear),
		in_scratch(what_others_can_read_is_refused),
		in_scratch(bytes_beside_the_block_are_refused),
		in_scratch(bytes_after_the_der_are_refused),
		in_scratch(plain_keys_are_read_without_a_passphrase_only),
		in_scratch(missing_large_and_odd_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
