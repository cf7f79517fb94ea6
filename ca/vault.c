#include "ca/vault.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/seal.h"

enum { NAME_BYTES = 8, PBKDF2_ITERATIONS = 100000 };

struct vault {
	struct seal *seal;
	char name[2 * NAME_BYTES + 1];
};

static bool open_seal(struct store *store, const char *key_file, struct seal **ret, struct problem *p)
{
	uint8_t key[32];

	if (key_file)
		return seal_open_file(key_file, ret, p);
	seal_derive(store_seal(store), "private keys", key);
	bool made = seal_new(key, ret, p);
	mem_wipe(key, sizeof(key));
	return made;
}

/* It tells keys apart, and nothing of them. */
static bool name_make(struct vault *vault, struct problem *p)
{
	auto_value(buf) hex = {0};
	uint8_t digest[32];

	seal_derive(vault->seal, "name of the key", digest);
	buf_add_hex(&hex, BYTES(digest, NAME_BYTES));
	snprintf(vault->name, sizeof(vault->name), "%s", buf_text(&hex));
	return buf_check(&hex, p);
}

bool vault_open(struct store *store, const char *key_file, struct vault **ret, struct problem *p)
{
	auto_struct(vault) *vault = calloc(1, sizeof(*vault));

	if (!vault)
		return problem_memory(p);
	if (!open_seal(store, key_file, &vault->seal, p) || !name_make(vault, p))
		return false;
	*ret = steal(vault);
	return true;
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	seal_free(vault->seal);
	free(vault);
}

static bool context_of(struct bytes key_hash, struct buf *ret, struct problem *p)
{
	buf_add_str(ret, "private key ");
	buf_add_hex(ret, key_hash);
	return buf_check(ret, p);
}

bool vault_close(const struct vault *vault, EVP_PKEY *key, int64_t now, struct buf *ret_sealed,
                 uint8_t ret_key_hash[32], struct private_key *ret, struct problem *p)
{
	auto_value(buf) spki = {0}, plain = {0}, context = {0};

	if (!ossl_public_der(key, &spki, p) || !ossl_private_der(key, &plain, p))
		return false;
	digest_sha256(buf_bytes(&spki), ret_key_hash);
	if (!context_of(BYTES(ret_key_hash, SHA256_SIZE), &context, p) ||
	    !seal_close(vault->seal, buf_text(&context), buf_bytes(&plain), ret_sealed, p))
		return false;
	*ret = (struct private_key){ .seal = vault->name, .sealed = buf_bytes(ret_sealed), .created = now };
	return true;
}

bool vault_has(const struct vault *vault, const struct private_key *row)
{
	return row->seal && str_equal(row->seal, vault->name);
}

static bool pkcs8_read(struct bytes der, EVP_PKEY **ret, struct problem *p)
{
	const uint8_t *at = der.data;
	auto(PKCS8_PRIV_KEY_INFO) *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
	EVP_PKEY *key = info && at == der.data + der.len ? EVP_PKCS82PKEY(info) : NULL;

	if (!key)
		return problem_openssl(p, "a private key that was sealed");
	*ret = key;
	return true;
}

bool vault_reveal(const struct vault *vault, struct bytes key_hash, const struct private_key *row,
                  EVP_PKEY **ret, struct problem *p)
{
	auto_value(buf) plain = {0}, context = {0};

	if (!vault_has(vault, row))
		return problem_internal(p, "private key %s is sealed under another key: `enrolld key reseal` "
		                        "brings it under this one",
		                        row->id);
	if (!context_of(key_hash, &context, p))
		return false;
	if (!seal_reveal(vault->seal, buf_text(&context), row->sealed, &plain))
		return problem_internal(p, "private key %s cannot be opened: its seal is broken", row->id);
	return pkcs8_read(buf_bytes(&plain), ret, p);
}

/* --- as PEM */

static int no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

bool vault_read_pem(const char *text, EVP_PKEY **ret, struct problem *p)
{
	auto(BIO) *in = BIO_new_mem_buf(text, (int)strlen(text));
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;

	ERR_clear_error();
	if (!key)
		return problem_set(p, PROBLEM_MALFORMED, "expected a private key as PEM, not encrypted");
	*ret = key;
	return true;
}

static bool encrypt(EVP_PKEY *key, const char *password, struct buf *ret, struct problem *p)
{
	auto(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	auto(X509_ALGOR) *scheme = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ITERATIONS, NULL, 0, NULL,
	                                             NID_hmacWithSHA256);

	if (!info || !scheme)
		return problem_openssl(p, "PBES2");
	auto(X509_SIG) *sealed = PKCS8_set0_pbe(password, (int)strlen(password), info, scheme);
	if (!sealed)
		return problem_openssl(p, "encrypting a key");
	scheme = NULL; /* now the other's */
	return ossl_der(i2d_X509_SIG, sealed, ret) ? true : problem_memory(p);
}

bool vault_pem(EVP_PKEY *key, const char *password, struct buf *ret, struct problem *p)
{
	auto_value(buf) der = {0};

	if (!(password ? encrypt(key, password, &der, p) : ossl_private_der(key, &der, p)))
		return false;
	ossl_pem(password ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", buf_bytes(&der), ret);
	return buf_check(ret, p);
}
