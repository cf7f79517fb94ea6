#include "ca/import.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "ca/chain.h"
#include "ca/private.h"

enum { IMPORT_MAX = 256 * 1024 };

void import_free(struct import *import)
{
	X509_free(import->certificate);
	EVP_PKEY_free(import->key);
	sk_X509_pop_free(import->chain, X509_free);
	*import = (struct import){ 0 };
}

/* --- PEM */

static bool read_certificates(const struct import_files *files, struct import *import, struct problem *p)
{
	auto(ossl_x509_stack) *more = NULL;

	if (!files->certificate)
		return problem_set(p, PROBLEM_MALFORMED, "--certificate: a file is wanted");
	if (!chain_read(files->certificate, &import->chain, p))
		return false;
	import->certificate = sk_X509_shift(import->chain);
	if (!files->chain)
		return true;
	if (!chain_read(files->chain, &more, p))
		return false;
	while (sk_X509_num(more) > 0) {
		X509 *next = sk_X509_shift(more);
		if (sk_X509_push(import->chain, next) > 0)
			continue;
		X509_free(next);
		return problem_memory(p);
	}
	return true;
}

/* What OpenSSL asks for a passphrase: it never goes to the terminal. */
static int give_passphrase(char *room, int size, int writing, void *arg)
{
	const struct bytes *passphrase = arg;

	(void)writing;
	if (passphrase->len == 0 || passphrase->len > (size_t)size)
		return -1;
	memcpy(room, passphrase->data, passphrase->len);
	return (int)passphrase->len;
}

static bool read_key(const struct import_files *files, struct import *import, struct problem *p)
{
	auto_value(buf) text = { 0 };
	struct bytes passphrase = files->passphrase;

	if (!files->key)
		return true;
	if (!private_read(files->key, IMPORT_MAX, 0077, &text, p))
		return false;
	auto(BIO) *bio = BIO_new_mem_buf(text.data, (int)text.len);
	if (!bio)
		return problem_memory(p);
	import->key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
	ERR_clear_error();
	if (import->key)
		return true;
	if (strstr(buf_text(&text), "ENCRYPTED"))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "%s: the passphrase %s", files->key,
		                   passphrase.len ? "does not open this key"
		                   : "of this encrypted key is wanted: --passphrase-file");
	return problem_set(p, PROBLEM_MALFORMED, "%s: not a private key in PEM", files->key);
}

/* --- PKCS#12 */

static bool pkcs12_refused(const char *path, struct problem *p)
{
	unsigned long error = ERR_peek_last_error();

	ERR_clear_error();
	if (ERR_GET_REASON(error) == PKCS12_R_MAC_VERIFY_FAILURE)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "%s: the passphrase does not open this file", path);
	return problem_set(p, PROBLEM_MALFORMED,
	                   "%s: RFC 7292: no PKCS#12 file, or one of algorithms that OpenSSL 3 does not have", path);
}

/* What Windows and old Java write: their certificates under RC2, which OpenSSL 3 has in a provider of its own. */
static bool pkcs12_open_old(PKCS12 *p12, const char *passphrase, struct import *import)
{
	OSSL_PROVIDER *plain = OSSL_PROVIDER_load(NULL, "default"), *old = OSSL_PROVIDER_load(NULL, "legacy");
	bool good = plain && old &&
	            PKCS12_parse(p12, passphrase, &import->key, &import->certificate, &import->chain) == 1;

	if (old)
		OSSL_PROVIDER_unload(old);
	return good; /* the default one stays: nothing else would, once one was loaded by name */
}

static bool read_pkcs12(const struct import_files *files, struct import *import, struct problem *p)
{
	auto_value(buf) der = { 0 }, text = { 0 };

	buf_add(&text, files->passphrase.data, files->passphrase.len);
	const char *passphrase = buf_text(&text);
	if (!buf_check(&text, p) || !private_read(files->pkcs12, IMPORT_MAX, 0077, &der, p))
		return false;
	const unsigned char *at = der.data;
	PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)der.len);
	bool good = p12 && PKCS12_parse(p12, passphrase, &import->key, &import->certificate, &import->chain) == 1;
	if (p12 && !good && ERR_GET_REASON(ERR_peek_last_error()) != PKCS12_R_MAC_VERIFY_FAILURE) {
		ERR_clear_error();
		good = pkcs12_open_old(p12, passphrase, import);
	}
	PKCS12_free(p12);
	if (!good)
		return pkcs12_refused(files->pkcs12, p);
	ERR_clear_error();
	if (!import->chain)
		import->chain = sk_X509_new_null();
	return import->key && import->certificate && import->chain ? true
	        : problem_set(p, PROBLEM_MALFORMED, "%s: a certificate with its private key is wanted in it",
	                      files->pkcs12);
}

bool import_read(const struct import_files *files, struct import *ret, struct problem *p)
{
	auto_value(import) import = { 0 };

	if (files->pkcs12 && (files->certificate || files->key || files->chain))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--pkcs12 holds certificate, key and chain: it goes with none of these");
	if (files->pkcs12 ? !read_pkcs12(files, &import, p)
	                  : !read_certificates(files, &import, p) || !read_key(files, &import, p))
		return false;
	*ret = import;
	import = (struct import){ 0 };
	return true;
}
