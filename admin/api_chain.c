#include "admin/api_chain.h"

#include <openssl/err.h>

static X509 *last_of(struct bytes pem)
{
	auto(BIO) *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *last = NULL;

	for (X509 *next; bio && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)); last = next)
		X509_free(last);
	ERR_clear_error(); /* of the end of the text */
	return last;
}

/* An issuer whose chain ends in another root goes without it: its clients know which they trust. */
static bool is_under(struct bytes chain, struct bytes root)
{
	auto(X509) *top = last_of(chain), *anchor = last_of(root);

	return top && anchor && X509_check_issued(anchor, top) == X509_V_OK && X509_cmp(anchor, top) != 0;
}

void api_chain_make(const struct ca *ca, const char *id, struct api_chain *ret)
{
	const struct issuer *issuer = id && *id ? ca_issuer(ca, id) : NULL;

	*ret = (struct api_chain){ 0 };
	if (!issuer)
		return;
	struct bytes chain = issuer_chain_pem(issuer, 0), root = ca_root_pem(ca);
	ossl_pem("CERTIFICATE", issuer_certificate(issuer), &ret->issuing);
	buf_add(&ret->chain, chain.data, chain.len);
	buf_add(&ret->with_root, chain.data, chain.len);
	if (is_under(chain, root))
		buf_add(&ret->with_root, root.data, root.len);
}

void api_chain_free(struct api_chain *chain)
{
	buf_free(&chain->issuing);
	buf_free(&chain->chain);
	buf_free(&chain->with_root);
}
