/* Keys at rest and on their way: sealed and opened again, as PEM and as PKCS #12. */
#include "ca/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "ca/pkcs12.h"
#include "policy/key.h"

static EVP_PKEY *key;

static struct store *store_make(uint8_t byte)
{
	struct store *store = NULL;
	struct problem p = {0};
	struct kv *kv = NULL;
	uint8_t seal[32];

	memset(seal, byte, sizeof(seal));
	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal, &store, &p));
	return store;
}

static struct vault *vault_make(struct store *store, const char *file)
{
	struct vault *vault = NULL;
	struct problem p = {0};

	assert_true(vault_open(store, file, &vault, &p));
	return vault;
}

static void sealed_and_opened(void **state)
{
	auto_struct(store) *store = store_make(1);
	auto_struct(vault) *vault = vault_make(store, NULL);
	auto_value(buf) sealed = {0}, plain = {0};
	auto(EVP_PKEY) *opened = NULL;
	struct private_key row;
	struct problem p = {0};
	uint8_t hash[32];

	(void)state;
	assert_true(vault_close(vault, key, 7, &sealed, hash, &row, &p));
	row.id = "x";
	assert_true(vault_has(vault, &row) && row.created == 7);
	assert_true(vault_reveal(vault, BYTES(hash, 32), &row, &opened, &p));
	assert_int_equal(EVP_PKEY_eq(opened, key), 1);
	assert_true(vault_pem(key, NULL, &plain, &p));
	assert_null(memmem(sealed.data, sealed.len, plain.data + 40, 16));
}

static void no_other_seal_row_or_byte(void **state)
{
	auto_struct(store) *store = store_make(1), *other_store = store_make(2);
	auto_struct(vault) *vault = vault_make(store, NULL), *other = vault_make(other_store, NULL);
	auto_value(buf) sealed = {0};
	auto_value(problem) p = {0};
	EVP_PKEY *opened = NULL;
	struct private_key row;
	uint8_t hash[32];

	(void)state;
	assert_true(vault_close(vault, key, 7, &sealed, hash, &row, &p));
	row.id = "x";
	assert_false(vault_has(other, &row));
	assert_false(vault_reveal(other, BYTES(hash, 32), &row, &opened, &p));
	assert_non_null(strstr(p.cause, "key reseal"));
	hash[0] ^= 1;
	assert_false(vault_reveal(vault, BYTES(hash, 32), &row, &opened, &p));
	hash[0] ^= 1;
	for (size_t i = 0; i < sealed.len; i += 7) {
		sealed.data[i] ^= 1;
		assert_false(vault_reveal(vault, BYTES(hash, 32), &row, &opened, &p));
		sealed.data[i] ^= 1;
	}
	assert_null(opened);
}

static void key_of_a_file(void **state)
{
	char folder[] = "/tmp/enrolld-vault-XXXXXX";
	auto_struct(store) *store = store_make(1);
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	auto_free char *path = mem_printf("%s/key", folder);
	auto_struct(vault) *made = vault_make(store, path), *again = vault_make(store, path), *derived = vault_make(store, NULL);
	auto_value(buf) sealed = {0};
	struct private_key row;
	struct problem p = {0};
	uint8_t hash[32];
	assert_true(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 32);
	assert_true(vault_close(made, key, 7, &sealed, hash, &row, &p));
	assert_true(vault_has(again, &row));
	assert_false(vault_has(derived, &row));
	unlink(path);
	rmdir(folder);
}

static EVP_PKEY *read_pem(const struct buf *pem, const char *password)
{
	auto(BIO) *in = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *read = PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)(uintptr_t)(password ?: ""));

	ERR_clear_error();
	return read;
}

static void pem_with_a_password(void **state)
{
	auto_value(buf) sealed = {0}, plain = {0};
	struct problem p = {0};

	(void)state;
	assert_true(vault_pem(key, "secret", &sealed, &p) && vault_pem(key, NULL, &plain, &p));
	auto(EVP_PKEY) *a = read_pem(&sealed, "secret"), *b = read_pem(&plain, NULL), *wrong = read_pem(&sealed, "Secret");
	assert_true(EVP_PKEY_eq(a, key) == 1 && EVP_PKEY_eq(b, key) == 1);
	assert_null(wrong);
}

static void certificate_make(struct buf *ret)
{
	auto(X509) *certificate = X509_new();
	auto(X509_NAME) *name = X509_NAME_new();

	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"x", -1, -1, 0) == 1 &&
	            X509_set_subject_name(certificate, name) == 1 && X509_set_issuer_name(certificate, name) == 1 &&
	            X509_gmtime_adj(X509_getm_notBefore(certificate), 0) && X509_gmtime_adj(X509_getm_notAfter(certificate), 60) &&
	            X509_set_pubkey(certificate, key) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0 &&
	            ossl_der(i2d_X509, certificate, ret));
}

static void pkcs12_of_both_kinds(void **state)
{
	auto_value(buf) der = {0}, chain = {0};

	(void)state;
	certificate_make(&der);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &chain);
	for (int legacy = 0; legacy < 2; legacy++) {
		const struct pkcs12_parts parts = {
			.key = key, .certificate = buf_bytes(&der), .chain = buf_bytes(&chain), .alias = "n\xc3\xa4me", .password = "p\xc3\xa4ss",
			.legacy = legacy,
		};
		auto_value(buf) file = {0};
		struct problem p = {0};
		assert_true(pkcs12_make(&parts, &file, &p));
		const uint8_t *at = file.data;
		PKCS12 *read = d2i_PKCS12(NULL, &at, (long)file.len);
		auto(EVP_PKEY) *opened = NULL;
		auto(X509) *certificate = NULL;
		auto(ossl_x509_stack) *more = NULL;
		assert_true(PKCS12_verify_mac(read, "p\xc3\xa4ss", -1) == 1 && PKCS12_verify_mac(read, "pass", -1) == 0);
		assert_true(PKCS12_parse(read, "p\xc3\xa4ss", &opened, &certificate, &more) == 1);
		assert_true(EVP_PKEY_eq(opened, key) == 1 && sk_X509_num(more) == 1);
		int length;
		assert_string_equal((const char *)X509_alias_get0(certificate, &length), "n\xc3\xa4me");
		PKCS12_free(read);
		ERR_clear_error();
	}
}

static int setup(void **state)
{
	struct problem p = {0};

	(void)state;
	return key_make(KEY_EC_P256, &key, &p) ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_and_opened),
		cmocka_unit_test(no_other_seal_row_or_byte),
		cmocka_unit_test(key_of_a_file),
		cmocka_unit_test(pem_with_a_password),
		cmocka_unit_test(pkcs12_of_both_kinds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
