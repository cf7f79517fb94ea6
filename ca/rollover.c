#include "ca/rollover.h"

#include <unistd.h>

#include <openssl/err.h>

#include "ca/chain.h"

static bool same_name(X509 *a, X509 *b)
{
	return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0;
}

static bool holds(ossl_x509_stack *file, X509 *root)
{
	for (int i = 0; i < sk_X509_num(file); i++)
		if (X509_cmp(sk_X509_value(file, i), root) == 0)
			return true;
	return false;
}

static bool is_signed(ossl_x509_stack *file, X509 *certificate)
{
	bool good = false;

	for (int i = 0; !good && i < sk_X509_num(file); i++)
		good = X509_verify(certificate, X509_get0_pubkey(sk_X509_value(file, i))) == 1;
	ERR_clear_error();
	return good;
}

static bool add_all(const char *path, ossl_x509_stack *file, X509 *root, struct buf *ret, struct problem *p)
{
	for (int i = 0; i < sk_X509_num(file); i++) {
		X509 *certificate = sk_X509_value(file, i);
		if (!same_name(certificate, root) || !is_signed(file, certificate))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "%s: certificate %d is not by one root about the other", path, i + 1);
		if (X509_cmp(certificate, root) != 0 && !ossl_der(i2d_X509, certificate, ret))
			return problem_memory(p);
	}
	return true;
}

bool rollover_read(const char *folder, X509 *root, struct buf *ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/root.rollover.pem", folder);
	auto(ossl_x509_stack) *file = NULL;

	if (!path)
		return problem_memory(p);
	if (access(path, F_OK) != 0)
		return true;
	return chain_read(path, &file, p) && (!holds(file, root) || add_all(path, file, root, ret, p));
}

/* It is the last one of the file. */
bool rollover_link(struct bytes certificates, X509 *root, struct buf *ret, struct problem *p)
{
	const unsigned char *at = certificates.data, *end = certificates.data + certificates.len;
	auto(X509) *last = NULL;
	const unsigned char *begin = at;

	while (at < end) {
		X509_free(steal(last));
		begin = at;
		last = d2i_X509(NULL, &at, end - at);
		if (!last)
			return problem_openssl(p, "the certificates of a rollover");
	}
	if (last && X509_self_signed(last, 0) == 0 && EVP_PKEY_eq(X509_get0_pubkey(last), X509_get0_pubkey(root)) == 1)
		ossl_pem("CERTIFICATE", BYTES(begin, end - begin), ret);
	ERR_clear_error();
	return buf_check(ret, p);
}
