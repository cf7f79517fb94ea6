#include "admin/api_chain.h"

void api_chain_make(const struct ca *ca, const char *id, struct api_chain *ret)
{
	const struct issuer *issuer = id && *id ? ca_issuer(ca, id) : NULL;

	*ret = (struct api_chain){ 0 };
	if (!issuer)
		return;
	struct bytes chain = issuer_chain_pem(issuer, 0), root = issuer_root_pem(issuer);
	ossl_pem("CERTIFICATE", issuer_certificate(issuer), &ret->issuing);
	buf_add(&ret->chain, chain.data, chain.len);
	buf_add(&ret->with_root, chain.data, chain.len);
	buf_add(&ret->with_root, root.data, root.len);
}

void api_chain_free(struct api_chain *chain)
{
	buf_free(&chain->issuing);
	buf_free(&chain->chain);
	buf_free(&chain->with_root);
}
