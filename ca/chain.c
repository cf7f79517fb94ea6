#include "ca/chain.h"

#include <openssl/err.h>

#include "base/clock.h"
#include "base/file.h"

enum { CHAIN_FILE_MAX = 256 * 1024 };

static bool certificate_add(ossl_x509_stack *chain, struct bytes der)
{
	const unsigned char *at = der.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);

	if (!certificate || at != der.data + der.len || sk_X509_push(chain, certificate) <= 0)
		return false;
	certificate = NULL; /* now the chain's */
	return true;
}

/* RFC 7468, 5.1. Text between the blocks is comment. */
static bool blocks_read(BIO *bio, ossl_x509_stack *chain)
{
	bool good = true;

	while (good && sk_X509_num(chain) <= CHAIN_LENGTH_MAX) {
		char *label = NULL, *header = NULL;
		unsigned char *data = NULL;
		long len = 0;
		if (PEM_read_bio(bio, &label, &header, &data, &len) != 1)
			break;
		good = str_equal(label, "CERTIFICATE") && certificate_add(chain, BYTES(data, (size_t)len));
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	/* The normal end is that no other block begins. */
	bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return good && ended;
}

bool chain_read(const char *path, ossl_x509_stack **ret, struct problem *p)
{
	auto_value(buf) text = { 0 };
	auto(ossl_x509_stack) *chain = sk_X509_new_null();

	if (!file_read(path, CHAIN_FILE_MAX, &text, p))
		return false;
	auto(BIO) *bio = BIO_new_mem_buf(text.data, (int)text.len);
	if (!chain || !bio)
		return problem_memory(p);
	if (!blocks_read(bio, chain) || sk_X509_num(chain) < 1 || sk_X509_num(chain) > CHAIN_LENGTH_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%s: not one to %d PEM certificates and nothing else", path,
		                   CHAIN_LENGTH_MAX);
	*ret = steal(chain);
	return true;
}

static X509 *chain_root(ossl_x509_stack *chain)
{
	return sk_X509_value(chain, sk_X509_num(chain) - 1);
}

/* Another certificate of the same CA, from another root: the signatures below fit both. */
static bool same_ca(X509 *a, X509 *b)
{
	const ASN1_OCTET_STRING *id_a = X509_get0_subject_key_id(a), *id_b = X509_get0_subject_key_id(b);

	return id_a && id_b && ASN1_OCTET_STRING_cmp(id_a, id_b) == 0 &&
	       X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	       EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

static X509 *chain_begin(X509 *certificate, ossl_x509_stack *chain)
{
	return same_ca(certificate, sk_X509_value(chain, 0)) ? sk_X509_value(chain, 0) : certificate;
}

static bool verify_prepare(X509_STORE_CTX *ctx, X509_STORE *trusted, X509 *certificate, ossl_x509_stack *chain)
{
	if (X509_STORE_add_cert(trusted, chain_root(chain)) != 1 ||
	    X509_STORE_CTX_init(ctx, trusted, certificate, chain) != 1)
		return false;
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), clock_now());
	return true;
}

/* RFC 5280, 6.1.4 (l) and (m): how many CAs stand below each of the chain, a certificate that the CA signs
 * included, and of those that are issued to themselves none is counted. */
static bool lengths_check(const char *path, X509 *certificate, ossl_x509_stack *chain, struct problem *p)
{
	int below = 1;

	for (int i = chain_begin(certificate, chain) == certificate ? 0 : 1; i < sk_X509_num(chain); i++) {
		X509 *above = sk_X509_value(chain, i);
		long length = X509_get_pathlen(above);
		if (length >= 0 && length < below)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "%s: RFC 5280, 4.2.1.9: a CA above allows %ld CAs below it, and "
			                   "there are %d", path, length,
			                   below);
		below += (X509_get_extension_flags(above) & EXFLAG_SI) == 0;
	}
	return true;
}

/* What an operator finds in the morning: the command of docs/ca.md, or the clock. */
static const char *remedy(int error)
{
	if (error == X509_V_ERR_CERT_HAS_EXPIRED)
		return "; if the clock is right, `enrolld ca renew` makes a new one";
	return error == X509_V_ERR_CERT_NOT_YET_VALID ? "; is the clock right?" : "";
}

bool chain_verify(const char *path, X509 *certificate, ossl_x509_stack *chain, struct problem *p)
{
	auto(X509_STORE) *trusted = X509_STORE_new();
	auto(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();

	if (X509_self_signed(chain_root(chain), 1) != 1) {
		ERR_clear_error();
		return problem_set(p, PROBLEM_MALFORMED, "%s: the last certificate is not a self-signed root", path);
	}
	if (!trusted || !ctx || !verify_prepare(ctx, trusted, chain_begin(certificate, chain), chain))
		return problem_openssl(p, "preparing to verify a chain");
	if (X509_verify_cert(ctx) == 1)
		return lengths_check(path, certificate, chain, p);
	ERR_clear_error();
	int error = X509_STORE_CTX_get_error(ctx);
	return problem_set(p, PROBLEM_MALFORMED, "%s: the issuer's certificate does not verify: %s%s", path,
	                   X509_verify_cert_error_string(error), remedy(error));
}

bool chain_write(X509 *certificate, ossl_x509_stack *chain, struct buf *ret, struct problem *p)
{
	int last = sk_X509_num(chain) - 1;

	if (chain_begin(certificate, chain) == certificate && !ossl_certificate_pem(certificate, ret, p))
		return false;
	for (int i = 0; i < last; i++)
		if (!ossl_certificate_pem(sk_X509_value(chain, i), ret, p))
			return false;
	return true;
}
