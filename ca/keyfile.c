#include "ca/keyfile.h"

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "base/file.h"
#include "base/random.h"
#include "ca/pkcs11.h"
#include "ca/private.h"

enum { KEYFILE_MAX = 64 * 1024 };

static const struct kind {
	const char *name;
	const char *group; /* NULL: RSA */
	unsigned bits;
} kinds[] = {
	[KEYFILE_EC_P256] = { .name = "ec-p256", .group = "P-256" },
	[KEYFILE_EC_P384] = { .name = "ec-p384", .group = "P-384" },
	[KEYFILE_RSA_3072] = { .name = "rsa-3072", .bits = 3072 },
	[KEYFILE_RSA_4096] = { .name = "rsa-4096", .bits = 4096 },
};

bool keyfile_kind_from(const char *name, enum keyfile_kind *ret)
{
	for (size_t i = 0; i < array_length(kinds); i++)
		if (str_equal(kinds[i].name, name)) {
			*ret = (enum keyfile_kind)i;
			return true;
		}
	return false;
}

bool keyfile_generate(enum keyfile_kind kind, EVP_PKEY **ret, struct problem *p)
{
	const struct kind *k = &kinds[kind];
	EVP_PKEY *key = k->group ? EVP_EC_gen(k->group) : EVP_RSA_gen(k->bits);

	if (!key)
		return problem_openssl(p, "making a key");
	*ret = key;
	return true;
}

/* RFC 8018, A.4 with RFC 7914: scrypt. The N of a chosen passphrase costs 16 MiB and some 40 ms a
 * try; the next step up is beyond the memory that OpenSSL's PKCS#8 reader allows. */
enum { SCRYPT_N_CHOSEN = 16384, SCRYPT_N_RANDOM = 1024, SCRYPT_R = 8, SCRYPT_P = 1, SALT_SIZE = 16 };

static X509_ALGOR *scrypt_scheme(enum keyfile_passphrase kind, struct problem *p)
{
	uint64_t n = kind == KEYFILE_RANDOM ? SCRYPT_N_RANDOM : SCRYPT_N_CHOSEN;
	uint8_t salt[SALT_SIZE];

	if (!random_bytes(salt, sizeof(salt), p))
		return NULL;
	X509_ALGOR *scheme =
		PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL, n, SCRYPT_R, SCRYPT_P);
	if (!scheme)
		problem_openssl(p, "PBES2 with scrypt");
	return scheme;
}

static bool key_encrypt(EVP_PKEY *key, enum keyfile_passphrase kind, struct bytes passphrase, struct buf *ret_der,
                        struct problem *p)
{
	auto(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	auto(X509_ALGOR) *scheme = info ? scrypt_scheme(kind, p) : NULL;

	if (!info)
		return problem_openssl(p, "PKCS#8");
	if (!scheme)
		return false;
	auto(X509_SIG) *sealed = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, info, scheme);
	if (!sealed)
		return problem_openssl(p, "encrypting a key");
	scheme = NULL; /* now the other's */
	return ossl_der(i2d_X509_SIG, sealed, ret_der) ? true : problem_memory(p);
}

bool keyfile_seal(EVP_PKEY *key, enum keyfile_passphrase kind, struct bytes passphrase, struct buf *ret,
                  struct problem *p)
{
	auto_value(buf) der = { 0 };

	if (passphrase.len == 0 || passphrase.len > KEYFILE_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "a key is written under a passphrase only");
	if (!key_encrypt(key, kind, passphrase, &der, p))
		return false;
	ossl_pem("ENCRYPTED PRIVATE KEY", buf_bytes(&der), ret);
	return buf_check(ret, p);
}

bool keyfile_fits(X509 *certificate, EVP_PKEY *key)
{
	auto_value(buf) own = { 0 }, other = { 0 };
	auto_value(problem) why = { 0 };

	return ossl_der(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &own) &&
	       ossl_public_der(key, &other, &why) &&
	       bytes_equal(buf_bytes(&own), buf_bytes(&other));
}

bool keyfile_write(const char *path, EVP_PKEY *key, enum keyfile_passphrase kind, struct bytes passphrase,
                   struct problem *p)
{
	auto_value(buf) pem = { 0 };
	struct stat st;

	if (lstat(path, &st) == 0)
		return problem_set(p, PROBLEM_CONFLICT, "%s: there is such a file already", path);
	return keyfile_seal(key, kind, passphrase, &pem, p) && file_write(path, buf_bytes(&pem), 0600, p);
}

/* The one PEM block (RFC 7468) of the file. What stands beside it was never looked at by whoever
 * trusts the file. */
static bool block_only(const char *path, const char *label, struct bytes text, struct buf *ret_der, struct problem *p)
{
	auto_free char *begin = mem_printf("-----BEGIN %s-----", label);
	auto_free char *end = mem_printf("-----END %s-----", label);

	if (!begin || !end)
		return problem_memory(p);
	const uint8_t *last = memmem(text.data, text.len, end, strlen(end));
	if (text.len < strlen(begin) || memcmp(text.data, begin, strlen(begin)) != 0 || !last)
		return problem_set(p, PROBLEM_MALFORMED, "%s: does not begin with a PEM block \"%s\"", path, label);
	for (last += strlen(end); last < text.data + text.len; last++)
		if (!strchr(" \t\r\n", *last) || *last == '\0')
			return problem_set(p, PROBLEM_MALFORMED, "%s: bytes after the PEM block", path);
	return ossl_from_pem(label, text, ret_der, p);
}

static bool key_decode(const char *path, struct bytes der, EVP_PKEY **ret, struct problem *p)
{
	const unsigned char *at = der.data;
	auto(PKCS8_PRIV_KEY_INFO) *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
	EVP_PKEY *key = info && at == der.data + der.len ? EVP_PKCS82PKEY(info) : NULL;

	if (!key)
		return problem_set(p, PROBLEM_MALFORMED, "%s: RFC 5958, 2: not a PrivateKeyInfo of a known kind", path);
	*ret = key;
	return true;
}

/* CBC has no tag: a wrong passphrase shows as wrong padding or, once in 256 tries, as no key. */
static bool key_decrypt(const char *path, struct bytes der, struct bytes passphrase, EVP_PKEY **ret, struct problem *p)
{
	const unsigned char *at = der.data;
	auto(X509_SIG) *sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
	const X509_ALGOR *scheme;
	const ASN1_OCTET_STRING *data;
	unsigned char *plain = NULL;
	int len = 0;

	if (!sealed || at != der.data + der.len)
		return problem_set(p, PROBLEM_MALFORMED, "%s: RFC 5958, 3: not an EncryptedPrivateKeyInfo", path);
	X509_SIG_get0(sealed, &scheme, &data);
	bool opened = PKCS12_pbe_crypt(scheme, (const char *)passphrase.data, (int)passphrase.len,
	                               ASN1_STRING_get0_data(data), ASN1_STRING_length(data), &plain, &len, 0) != NULL;
	bool read = opened && key_decode(path, BYTES(plain, (size_t)len), ret, p);
	if (opened)
		OPENSSL_clear_free(plain, (size_t)len);
	return read ? true : problem_set(p, PROBLEM_UNAUTHORIZED, "%s: the passphrase does not open this key", path);
}

/* A file may say where the key is, in place of what it is. */
static bool is_uri(struct bytes text)
{
	return text.len > strlen(KEYFILE_URI) && memcmp(text.data, KEYFILE_URI, strlen(KEYFILE_URI)) == 0;
}

static bool key_in_token(const char *path, const struct buf *text, EVP_PKEY **ret, struct problem *p)
{
	auto_free char *uri = strndup(buf_text(text), strcspn(buf_text(text), "\r\n"));

	if (!uri)
		return problem_memory(p);
	if (text->len > strlen(uri) + 1)
		return problem_set(p, PROBLEM_MALFORMED, "%s: more than one line with a PKCS#11 URI", path);
	return pkcs11_key(uri, ret, p);
}

static bool key_open(const char *path, struct bytes text, struct bytes passphrase, EVP_PKEY **ret, struct problem *p)
{
	bool sealed = passphrase.len > 0;
	auto_value(buf) der = { 0 };

	if (!block_only(path, sealed ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", text, &der, p))
		return false;
	return sealed ? key_decrypt(path, buf_bytes(&der), passphrase, ret, p)
	              : key_decode(path, buf_bytes(&der), ret, p);
}

bool keyfile_read(const char *path, struct bytes passphrase, EVP_PKEY **ret, struct problem *p)
{
	auto_value(buf) text = { 0 };

	if (passphrase.len > KEYFILE_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%s: the passphrase is too long", path);
	if (!private_read(path, KEYFILE_MAX, 0077, &text, p))
		return false;
	if (is_uri(buf_bytes(&text)))
		return key_in_token(path, &text, ret, p);
	bool read = key_open(path, buf_bytes(&text), passphrase, ret, p);
	ERR_clear_error();
	return read;
}
